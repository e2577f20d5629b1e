#include <postern/auth/secret.hpp>
#include <postern/base/base64.hpp>
#include <postern/base/text.hpp>
#include <postern/net/digest.hpp>
#include <postern/smtp/domain.hpp>

#include <algorithm>
#include <array>
#include <iterator>

namespace postern::auth {
namespace {

constexpr std::string_view rfc5803 = "SCRAM-SHA-256$";

// The text up to the first `end`, cut off `text` with it; all of it where there is none.
std::string_view take_until(std::string_view& text, char end) {
  const auto at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

// Iterations, salt and keys, with these characters between them.
Result<StoredSecret> read_keys(std::string_view text, const std::array<char, 3>& between) {
  StoredSecret secret;
  secret.form = StoredSecret::Form::scram;
  ScramKeys& keys = secret.keys;
  const auto iterations = to_number<std::uint32_t>(take_until(text, between[0]));
  auto salt = decode_base64(take_until(text, between[1]));
  auto stored = decode_base64(take_until(text, between[2]));
  auto server = decode_base64(text);
  if (!iterations || !salt || !stored || !server)
    return fail(Errc::malformed, "has no keys of SCRAM: iterations, salt, stored and server key");
  if (*iterations < ScramKeys::least_iterations || *iterations > ScramKeys::most_iterations)
    return fail(Errc::malformed, "has fewer than 4096 iterations, or more than ten million");
  if (salt->empty() || salt->size() > ScramKeys::most_salt_octets)
    return fail(Errc::malformed, "has no salt, or one of more than 64 octets");
  if (stored->size() != net::sha256_octets || server->size() != net::sha256_octets)
    return fail(Errc::malformed, "has keys that are not of 32 octets");
  keys = {*iterations, std::move(*salt), std::move(*stored), std::move(*server)};
  return secret;
}

// $ID$…, of the characters that crypt(5) has.
Result<StoredSecret> read_hash(std::string_view text) {
  const auto allowed = [](char c) { return c > ' ' && c < 0x7f && c != ':' && c != '*'; };
  const bool sound = text.size() >= 13 && text.size() < 384 && text.front() == '$' &&
                     text.find('$', 1) != std::string_view::npos &&
                     std::all_of(text.begin(), text.end(), allowed);
  if (!sound) return fail(Errc::malformed, "has no hash as crypt(3) makes them, $ID$SALT$HASH");
  StoredSecret secret;
  secret.form = StoredSecret::Form::hash;
  secret.text = text;
  return secret;
}

Result<StoredSecret> read_plain(std::string_view text) {
  if (text.empty() || text.size() > most_password_octets)
    return fail(Errc::malformed, "has no password, or one of more than 1024 octets");
  if (text.find('\0') != std::string_view::npos)
    return fail(Errc::malformed, "has a NUL in its password");
  StoredSecret secret;
  secret.text = text;
  return secret;
}

// "$6$" and the like begin what crypt(3) makes, and hardly a password.
bool looks_like_hash(std::string_view text) {
  constexpr std::string_view ids[] = {"$1$", "$2a$", "$2b$", "$2y$", "$5$",
                                      "$6$", "$7$",  "$y$",  "$gy$"};
  return std::any_of(std::begin(ids), std::end(ids),
                     [&](std::string_view id) { return text.starts_with(id); });
}

Result<StoredSecret> read_with_scheme(std::string_view scheme, std::string_view text) {
  constexpr std::string_view plain[] = {"PLAIN", "CLEAR", "CLEARTEXT"};
  constexpr std::string_view hashes[] = {"CRYPT", "SHA512-CRYPT", "SHA256-CRYPT", "BLF-CRYPT",
                                         "MD5-CRYPT"};
  const auto is = [&](std::string_view name) { return iequals(scheme, name); };
  if (std::any_of(std::begin(plain), std::end(plain), is)) return read_plain(text);
  if (std::any_of(std::begin(hashes), std::end(hashes), is)) return read_hash(text);
  if (is("SCRAM-SHA-256")) return read_keys(text, {',', ',', ','});
  return fail(Errc::malformed,
              "has a scheme that is not known here; known are PLAIN, CRYPT, SHA256-CRYPT, "
              "SHA512-CRYPT, BLF-CRYPT, MD5-CRYPT, SCRAM-SHA-256");
}

}  // namespace

bool same_octets(std::string_view a, std::string_view b) { return net::same_octets(a, b); }

bool is_user_name(std::string_view name) {
  return !name.empty() && name.size() <= most_user_octets &&
         std::none_of(name.begin(), name.end(), is_control) && smtp::is_clean_utf8(name);
}

ScramKeys ScramKeys::of(std::string_view password, std::string salt, std::uint32_t iterations) {
  ScramKeys keys;
  const std::string salted = net::pbkdf2_sha256(password, salt, iterations);
  keys.iterations = iterations;
  keys.salt = std::move(salt);
  keys.stored_key = net::sha256(net::hmac_sha256(salted, "Client Key"));
  keys.server_key = net::hmac_sha256(salted, "Server Key");
  return keys;
}

bool ScramKeys::match(std::string_view password) const {
  return net::same_octets(of(password, salt, iterations).stored_key, stored_key);
}

Result<StoredSecret> read_secret(std::string_view text) {
  if (text.starts_with(rfc5803)) return read_keys(text.substr(rfc5803.size()), {':', '$', ':'});
  if (looks_like_hash(text)) return read_hash(text);
  const auto end = text.starts_with('{') ? text.find('}') : std::string_view::npos;
  if (end == std::string_view::npos) return read_plain(text);
  return read_with_scheme(text.substr(1, end - 1), text.substr(end + 1));
}

}  // namespace postern::auth
