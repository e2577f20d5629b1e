#include <postern/base/siphash.hpp>

#include <string>

#include "catch.hpp"

namespace postern {

// The paper's example (appendix A), and the reference implementation's first vectors: the key is
// 00 01 … 0f, the text the first n of the octets 00 01 ….
TEST_CASE("siphash: gives what its authors say", "[base][siphash]") {
  std::string octets;
  for (char c = 0; c < 16; ++c) octets += c;
  const SipKey key = SipKey::of_octets(octets);
  struct Row {
    std::size_t octets;
    std::uint64_t hash;
  };
  const auto row = GENERATE(values<Row>({
      {0, 0x726fdb47dd0e0e31u},
      {1, 0x74f839c593dc67fdu},
      {2, 0x0d6c8009d9a94f5au},
      {3, 0x85676696d7fb7e2du},
      {7, 0xab0200f58b01d137u},
      {8, 0x93f5f5799a932462u},
      {15, 0xa129ca6149be45e5u},
  }));
  CAPTURE(row.octets);
  CHECK(siphash(key, octets.substr(0, row.octets)) == row.hash);
}

TEST_CASE("siphash: each secret is another key", "[base][siphash]") {
  const auto of = [](const char* secret) { return siphash(SipKey::of_secret(secret), "text"); };
  CHECK(of("secret") == of("secret"));
  CHECK(of("secret") != of("secres"));
  CHECK(of("secret") != of(""));
  CHECK(of("a secret of more than sixteen octets") != of("a secret of more than sixteen octet"));
}

}  // namespace postern
