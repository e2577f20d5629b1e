// SipHash-2-4, 64 bits: a short keyed hash, for marks that strangers shall not be able to make
// (Aumasson and Bernstein, 2012). No signature: who knows the key can make them too.
#pragma once

#include <cstdint>
#include <string_view>

namespace postern {

struct SipKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;

  // Of 16 octets, little-endian, as the paper has it.
  static SipKey of_octets(std::string_view sixteen);
  // Of a secret of any length.
  static SipKey of_secret(std::string_view secret);
};

std::uint64_t siphash(SipKey key, std::string_view text);

}  // namespace postern
