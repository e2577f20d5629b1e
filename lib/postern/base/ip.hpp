// IP addresses, networks and socket addresses as values.
#pragma once

#include <postern/base/result.hpp>

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern {

// An IPv4 or IPv6 address. IPv4-mapped IPv6 (::ffff:192.0.2.1) is the IPv4 address.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::array<std::uint8_t, 4> octets);
  static IpAddress v6(std::array<std::uint8_t, 16> octets);
  static Result<IpAddress> parse(std::string_view text);  // no brackets, no zone

  bool is_v4() const;
  bool is_loopback() const;
  std::string text() const;  // "192.0.2.1", "2001:db8::1" (RFC 5952)
  // 16 octets in network order; an IPv4 address as ::ffff:a.b.c.d.
  const std::array<std::uint8_t, 16>& octets() const { return octets_; }

  auto operator<=>(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> octets_{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
};

// "192.0.2.0/24", "2001:db8::/32", or a single address.
class Network {
 public:
  static Result<Network> parse(std::string_view text);
  bool contains(const IpAddress& address) const;
  std::string text() const;
  bool operator==(const Network&) const = default;

 private:
  IpAddress base_;
  unsigned bits_ = 128;  // of the 16-octet form
};

// "192.0.2.1:25", "[2001:db8::1]:25".
struct SocketAddress {
  IpAddress ip;
  std::uint16_t port = 0;

  static Result<SocketAddress> parse(std::string_view text);
  std::string text() const;
  auto operator<=>(const SocketAddress&) const = default;
};

}  // namespace postern
