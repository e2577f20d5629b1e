#include <postern/auth/mechanism.hpp>
#include <postern/base/base64.hpp>
#include <postern/net/digest.hpp>

#include <stdexcept>
#include <utility>

namespace postern::auth {

Mechanism::Next Mechanism::use_plain(std::string_view, bool) {
  throw std::logic_error("this mechanism uses no password of ours");
}

Mechanism::Next Mechanism::use_keys(const ScramKeys&, bool) {
  throw std::logic_error("this mechanism uses no keys");
}

Mechanism::Next Mechanism::ask(std::string challenge) {
  challenge_ = std::move(challenge);
  return Next::challenge;
}

Mechanism::Next Mechanism::take(std::string_view user) {
  if (!is_user_name(user)) return Next::malformed;
  user_ = user;
  return Next::secret;
}

// An empty password is never right: some directories take it for an anonymous bind.
Mechanism::Next Mechanism::take(std::string_view user, std::string_view password) {
  if (!is_user_name(user)) return Next::malformed;
  user_ = user;
  if (password.find('\0') != std::string_view::npos) return Next::malformed;
  if (password.empty() || password.size() > most_password_octets) return Next::refused;
  password_ = Secret(std::string(password));
  return Next::password;
}

std::string fresh_nonce() { return encode_base64(net::random_octets(18)); }

std::string salt_for(std::string_view user, std::string_view site_key) {
  return net::hmac_sha256(site_key, user).substr(0, 16);  // as long as those that others make
}

std::unique_ptr<Mechanism> make_mechanism(smtp::AuthMechanism which, std::string_view hostname) {
  using smtp::AuthMechanism;
  switch (which) {
    case AuthMechanism::plain:
      return make_plain();
    case AuthMechanism::login:
      return make_login();
    case AuthMechanism::cram_md5:
      return make_cram_md5({std::string(hostname), fresh_nonce()});
    case AuthMechanism::scram_sha_256:
      return make_scram_sha256({std::string(hostname), fresh_nonce()});
    default:
      return nullptr;
  }
}

}  // namespace postern::auth
