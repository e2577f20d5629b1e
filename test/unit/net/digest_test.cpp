#include <postern/net/digest.hpp>

#include <set>
#include <string>

#include "catch.hpp"

using namespace postern::net;

namespace {

std::string hex(std::string_view octets) {
  std::string out;
  for (const char c : octets) {
    out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

}  // namespace

TEST_CASE("Digests: the vectors of their RFCs", "[net][digest]") {
  const char* what = "what do ya want for nothing?";
  // RFC 4231 section 4.3, RFC 2202 section 2.
  CHECK(hex(hmac_sha256("Jefe", what)) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex(hmac_md5("Jefe", what)) == "750c783e6ab0b503eaa86e310a5db738");
  // FIPS 180-2 appendix B.1.
  CHECK(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 7914 section 11, the first half of each.
  CHECK(hex(pbkdf2_sha256("passwd", "salt", 1)) ==
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
  CHECK(hex(pbkdf2_sha256("Password", "NaCl", 80000)) ==
        "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
  // Without a key or password.
  CHECK(hex(hmac_sha256("", "")) ==
        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  CHECK(pbkdf2_sha256("", "salt", 1).size() == sha256_octets);
}

TEST_CASE("same_octets: of the same length and content", "[net][digest]") {
  CHECK(same_octets("", ""));
  CHECK(same_octets("abc", "abc"));
  CHECK_FALSE(same_octets("abc", "abd"));
  CHECK_FALSE(same_octets("abc", "ab"));
  CHECK_FALSE(same_octets("", "a"));
}

TEST_CASE("random_octets: never the same", "[net][digest]") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) CHECK(seen.insert(random_octets(16)).second);
  CHECK(random_octets(0).empty());
  CHECK(random_octets(256).size() == 256);
}
