// AUTH, as a plugin that knows users sees it. The mechanisms (PLAIN, LOGIN, CRAM-MD5,
// SCRAM-SHA-256) and their dialogues are the core's; a plugin tells whether a password is right, or
// what is stored of a user, and with that the core can do every mechanism.
//
//   hooks.on_auth_password(this, &Directory::check);   // std::optional<AuthAnswer>, or a Task of
//   it hooks.on_auth_secret(this, &Directory::find);      // std::optional<AuthSecret>, likewise
//
// Nothing means: not a user of mine; the next instance is asked. For PLAIN and LOGIN the hooks
// auth_password are asked first, then auth_secret, whose secret the core compares.
#pragma once

#include <postern/auth/secret.hpp>
#include <postern/base/result.hpp>
#include <postern/base/secret.hpp>
#include <postern/plugin/scope.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::plugin {

// Whether a password is this user's.
class AuthAnswer {
 public:
  enum class Kind : std::uint8_t { accept, refuse, failed };

  static AuthAnswer accept() { return AuthAnswer(Kind::accept); }
  static AuthAnswer refuse() { return AuthAnswer(Kind::refuse); }
  // It cannot tell: the instance's `on_error` decides.
  static AuthAnswer failed(Error error) { return AuthAnswer(Kind::failed, std::move(error)); }

  Kind kind() const { return kind_; }
  const Error& error() const { return *error_; }  // of a failed one

 private:
  explicit AuthAnswer(Kind kind, std::optional<Error> error = {})
      : kind_(kind), error_(std::move(error)) {}
  Kind kind_;
  std::optional<Error> error_;
};

// What is stored of this user.
class AuthSecret {
 public:
  enum class Kind : std::uint8_t { plain, scram, failed };

  // His password: serves every mechanism.
  static AuthSecret plain(Secret password) {
    AuthSecret secret(Kind::plain);
    secret.password_ = std::move(password);
    return secret;
  }
  // Keys made of it: serve SCRAM-SHA-256, PLAIN and LOGIN.
  static AuthSecret scram(auth::ScramKeys keys) {
    AuthSecret secret(Kind::scram);
    secret.keys_ = std::move(keys);
    return secret;
  }
  // It cannot tell: the instance's `on_error` decides.
  static AuthSecret failed(Error error) {
    AuthSecret secret(Kind::failed);
    secret.error_ = std::move(error);
    return secret;
  }

  Kind kind() const { return kind_; }
  const Secret& password() const { return password_; }
  const auth::ScramKeys& keys() const { return keys_; }
  const Error& error() const { return *error_; }

 private:
  explicit AuthSecret(Kind kind) : kind_(kind) {}
  Kind kind_;
  Secret password_;
  auth::ScramKeys keys_;
  std::optional<Error> error_;
};

// One try of a client to authenticate.
class AuthAttempt final : public HookScope {
 public:
  AuthAttempt(Session& session, std::string_view mechanism, std::string user, Secret password,
              bool encrypted);

  Session& session() const { return session_; }
  std::string_view mechanism() const { return mechanism_; }  // "PLAIN"
  // As the client says it: UTF-8 without control characters, 1 to 255 octets.
  const std::string& user() const { return user_; }
  // Of PLAIN and LOGIN: any octets but NUL, 1 to 1024 of them. Empty for the others.
  const Secret& password() const { return password_; }
  bool encrypted() const { return encrypted_; }  // the session is under TLS

 private:
  Session& session_;
  std::string_view mechanism_;
  std::string user_;
  Secret password_;
  bool encrypted_;
};

}  // namespace postern::plugin
