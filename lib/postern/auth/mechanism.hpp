// SASL mechanisms as a server sees them (RFC 4422): pure state machines. Octets in, what to do next
// out; who looks users up, waits and writes is somebody else.
#pragma once

#include <postern/auth/secret.hpp>
#include <postern/base/secret.hpp>
#include <postern/smtp/capabilities.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace postern::auth {

class Mechanism {
 public:
  enum class Next : std::uint8_t {
    challenge,  // send challenge(), and respond() with what comes
    password,   // user() and password() are known: who checks them decides
    secret,     // user() is known: give what is stored of him to use_plain() or use_keys()
    accepted,   // he is user()
    refused,    // he is not, or it is no exchange that we take part in
    malformed,  // it is not what this mechanism says
  };

  virtual ~Mechanism() = default;
  Mechanism(const Mechanism&) = delete;
  Mechanism& operator=(const Mechanism&) = delete;

  // With the initial response, if there was one: it may be empty.
  virtual Next begin(std::optional<std::string_view> initial) = 0;
  // With the response to the challenge. After anything but `challenge` it is over.
  virtual Next respond(std::string_view response) = 0;

  // After `secret`, one of the two, as wants_keys() says. `known`: there is such a user; otherwise
  // the exchange goes on as if there were, and fails.
  virtual bool wants_keys() const { return false; }
  virtual Next use_plain(std::string_view password, bool known);
  virtual Next use_keys(const ScramKeys& keys, bool known);

  const std::string& challenge() const { return challenge_; }  // octets, before base64
  const std::string& user() const { return user_; }
  const Secret& password() const { return password_; }

 protected:
  Mechanism() = default;
  Next ask(std::string challenge);
  // Of names and passwords as they came: `malformed` where it cannot be a name.
  Next take(std::string_view user);
  Next take(std::string_view user, std::string_view password);

  std::string challenge_;
  std::string user_;
  Secret password_;
};

// What is said of us in challenges.
struct Server {
  std::string hostname;
  std::string nonce;  // printable, no comma or angle bracket, never the same: fresh_nonce()
};
std::string fresh_nonce();  // 24 characters

std::unique_ptr<Mechanism> make_plain();                      // RFC 4616
std::unique_ptr<Mechanism> make_login();                      // draft-murchison-sasl-login
std::unique_ptr<Mechanism> make_cram_md5(Server server);      // RFC 2195
std::unique_ptr<Mechanism> make_scram_sha256(Server server);  // RFC 5802, RFC 7677

// Null: none of ours.
std::unique_ptr<Mechanism> make_mechanism(smtp::AuthMechanism which, std::string_view hostname);

// The salt that a user has who has none of his own, among them those who do not exist: always the
// same for a name, so that asking twice tells nothing. `site_key` is the same in all workers.
std::string salt_for(std::string_view user, std::string_view site_key);

}  // namespace postern::auth
