#include <postern/base/ip.hpp>
#include <postern/base/text.hpp>

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

namespace postern {

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> octets) {
  IpAddress address;
  std::copy(octets.begin(), octets.end(), address.octets_.begin() + 12);
  return address;
}

IpAddress IpAddress::v6(std::array<std::uint8_t, 16> octets) {
  IpAddress address;
  address.octets_ = octets;
  return address;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);  // inet_pton wants a terminating NUL; an inner one fails there
  std::array<std::uint8_t, 16> octets{};
  if (copy.size() == text.size() && copy.find('\0') == std::string::npos) {
    if (inet_pton(AF_INET, copy.c_str(), octets.data()) == 1)
      return v4({octets[0], octets[1], octets[2], octets[3]});
    if (inet_pton(AF_INET6, copy.c_str(), octets.data()) == 1) return v6(octets);
  }
  return fail(Errc::malformed, fmt::format("'{}' is not an IP address", printable(text, 64)));
}

bool IpAddress::is_v4() const {
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(mapped.begin(), mapped.end(), octets_.begin());
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return octets_[12] == 127;
  return std::all_of(octets_.begin(), octets_.begin() + 15, [](auto o) { return o == 0; }) &&
         octets_[15] == 1;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (is_v4())
    inet_ntop(AF_INET, octets_.data() + 12, buffer.data(), buffer.size());
  else
    inet_ntop(AF_INET6, octets_.data(), buffer.data(), buffer.size());
  return buffer.data();
}

Result<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  auto base = IpAddress::parse(text.substr(0, slash));
  if (!base) return fail(base.error());
  Network network;
  network.base_ = *base;
  if (slash == std::string_view::npos) return network;
  const auto bits = to_number<unsigned>(text.substr(slash + 1));
  const unsigned most = base->is_v4() ? 32 : 128;
  if (!bits || *bits > most)
    return fail(Errc::malformed, fmt::format("'{}': the prefix length is a number from 0 to {}",
                                             printable(text, 64), most));
  network.bits_ = *bits + (128 - most);
  return network;
}

bool Network::contains(const IpAddress& address) const {
  if (base_.is_v4() != address.is_v4()) return false;
  const auto& a = base_.octets();
  const auto& b = address.octets();
  const auto whole = static_cast<std::ptrdiff_t>(bits_ / 8);
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  if (bits_ % 8 == 0) return true;
  const auto at = static_cast<std::size_t>(whole);
  return ((a[at] ^ b[at]) >> (8 - bits_ % 8)) == 0;
}

std::string Network::text() const {
  return fmt::format("{}/{}", base_.text(), base_.is_v4() ? bits_ - 96 : bits_);
}

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto wrong = [&] {
    return fail(Errc::malformed,
                fmt::format("'{}' is not ADDRESS:PORT or [IPV6]:PORT", printable(text, 64)));
  };
  if (colon == std::string_view::npos) return wrong();
  std::string_view host = text.substr(0, colon);
  const auto port = to_number<std::uint16_t>(text.substr(colon + 1));
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool has_colon = host.find(':') != std::string_view::npos;
  auto ip = IpAddress::parse(host);
  if (!port || !ip || has_colon != bracketed) return wrong();
  return SocketAddress{*ip, *port};
}

std::string SocketAddress::text() const {
  return ip.is_v4() ? fmt::format("{}:{}", ip.text(), port)
                    : fmt::format("[{}]:{}", ip.text(), port);
}

}  // namespace postern
