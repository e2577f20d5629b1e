#include <postern/net/digest.hpp>
#include <postern/net/openssl.hpp>

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace postern::net {
namespace {

unsigned char* octets_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* octets_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string(what) + ": " + openssl_error());
}

std::string hmac(const EVP_MD* digest, std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  // A null key would mean the last one.
  const char none = '\0';
  const void* start = key.empty() ? &none : static_cast<const void*>(key.data());
  const auto* made = HMAC(digest, start, static_cast<int>(key.size()), octets_of(text), text.size(),
                          out.data(), &size);
  require(made != nullptr, "HMAC");
  return {reinterpret_cast<const char*>(out.data()), size};
}

}  // namespace

std::string sha256(std::string_view octets) {
  std::string out(sha256_octets, '\0');
  const bool done =
      EVP_Digest(octets.data(), octets.size(), octets_of(out), nullptr, EVP_sha256(), nullptr) == 1;
  require(done, "SHA-256");
  return out;
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  return hmac(EVP_sha256(), key, text);
}

std::string hmac_md5(std::string_view key, std::string_view text) {
  return hmac(EVP_md5(), key, text);
}

std::string pbkdf2_sha256(std::string_view password, std::string_view salt,
                          std::uint32_t iterations) {
  std::string out(sha256_octets, '\0');
  const char none = '\0';
  const char* start = password.empty() ? &none : password.data();
  const bool done =
      PKCS5_PBKDF2_HMAC(start, static_cast<int>(password.size()), octets_of(salt),
                        static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                        static_cast<int>(out.size()), octets_of(out)) == 1;
  require(done, "PBKDF2");
  return out;
}

bool same_octets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_octets(std::size_t count) {
  std::string out(count, '\0');
  // Up to 256 octets come whole (getrandom(2)).
  if (count > 256 || getrandom(out.data(), count, 0) != static_cast<ssize_t>(count))
    throw std::system_error(errno, std::generic_category(), "random numbers");
  return out;
}

}  // namespace postern::net
