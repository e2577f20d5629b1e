// Which clients are one: those of a network.
#pragma once

#include <postern/plugin.hpp>

#include <algorithm>
#include <array>

namespace postern::plugins {

// Leading bits of an address: a host of IPv6 has a whole /64.
struct NetworkBits {
  unsigned v4 = 24;
  unsigned v6 = 64;

  static void describe(Schema<NetworkBits>& schema) {
    schema.key("v4", &NetworkBits::v4, "bits of an IPv4 address").at_least(8).at_most(32);
    schema.key("v6", &NetworkBits::v6, "bits of an IPv6 address").at_least(16).at_most(128);
  }

  unsigned of(const IpAddress& client) const { return client.is_v4() ? v4 : v6; }
};

// "192.0.2.0/24", "2001:db8::/64".
inline std::string network_of(const IpAddress& client, const NetworkBits& bits) {
  const unsigned kept = bits.of(client);
  std::array<std::uint8_t, 16> octets = client.octets();
  const unsigned first = client.is_v4() ? 12 : 0;
  for (unsigned i = 0; i < 16 - first; ++i) {
    const unsigned of_octet = kept > 8 * i ? std::min(kept - 8 * i, 8U) : 0;
    octets[first + i] &= static_cast<std::uint8_t>(0xff00U >> of_octet);
  }
  return fmt::format("{}/{}", IpAddress::v6(octets).text(), kept);
}

}  // namespace postern::plugins
