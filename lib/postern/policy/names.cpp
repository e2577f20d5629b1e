#include <postern/base/text.hpp>
#include <postern/policy/names.hpp>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

namespace postern::policy {
namespace {

constexpr std::size_t max_name_octets =
    253;  // RFC 1035 section 2.3.4, written without the last dot
constexpr std::size_t max_label_octets = 63;

std::string_view fault_of_label(std::string_view label, bool ascii_only) {
  if (label.empty()) return "it has an empty label";
  if (label.size() > max_label_octets) return "a label is longer than 63 octets";
  if (label.front() == '-' || label.back() == '-') return "a label begins or ends with a hyphen";
  const auto allowed = [&](char c) {
    return is_alnum(c) || c == '-' || (!ascii_only && (!is_ascii(c) || c == '_'));
  };
  if (!std::all_of(label.begin(), label.end(), allowed))
    return "it has a character that no domain has";
  return {};
}

std::string_view fault(std::string_view name, bool ascii_only) {
  if (name.empty()) return "it is empty";
  if (name.size() > max_name_octets) return "it is longer than 253 octets";
  while (true) {
    const auto dot = name.find('.');
    const auto found = fault_of_label(name.substr(0, dot), ascii_only);
    if (!found.empty()) return found;
    if (dot == std::string_view::npos) return {};
    name.remove_prefix(dot + 1);
  }
}

SocketAddress from_sockaddr(const sockaddr* address, std::uint16_t port) {
  if (address->sa_family == AF_INET) {
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, 4);
    return {IpAddress::v4(octets), port};
  }
  std::array<std::uint8_t, 16> octets{};
  std::memcpy(octets.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, 16);
  return {IpAddress::v6(octets), port};
}

}  // namespace

std::string_view fault_of_domain(std::string_view name) {
  if (!valid_utf8(name)) return "it is not UTF-8";
  return fault(name, false);
}

std::string_view fault_of_host(std::string_view name) { return fault(name, true); }

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return fail(Errc::malformed,
                fmt::format("'{}' is not HOST:PORT: {}", printable(text, 300), why));
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return wrong("the port is missing; for example \"127.0.0.1:25\"");
  const auto port = to_number<std::uint16_t>(text.substr(colon + 1));
  if (!port || *port == 0) return wrong("a port is a number from 1 to 65535");
  Endpoint endpoint{std::string(text.substr(0, colon)), *port, {}};
  if (const auto address = SocketAddress::parse(text)) {
    endpoint.address = *address;
    return endpoint;
  }
  const auto last_label = endpoint.host.substr(endpoint.host.rfind('.') + 1);
  if (endpoint.host.find(':') != std::string::npos)
    return wrong("an IPv6 address stands in brackets, for example \"[2001:db8::1]:25\"");
  if (const auto found = fault_of_host(endpoint.host); !found.empty()) return wrong(found);
  if (std::all_of(last_label.begin(), last_label.end(), is_digit))
    return wrong("the host is neither an address nor a name");
  return endpoint;
}

Result<std::vector<SocketAddress>> resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  const int code = getaddrinfo(host.c_str(), nullptr, &hints, &raw);
  if (code != 0)
    return fail(Errc::not_found,
                fmt::format("'{}' has no address: {}; check the name, or write the "
                            "address itself",
                            host, gai_strerror(code)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(raw, freeaddrinfo);
  std::vector<SocketAddress> found;
  for (const addrinfo* entry = raw; entry != nullptr; entry = entry->ai_next) {
    if (entry->ai_family != AF_INET && entry->ai_family != AF_INET6) continue;
    const SocketAddress address = from_sockaddr(entry->ai_addr, port);
    if (std::find(found.begin(), found.end(), address) == found.end()) found.push_back(address);
  }
  if (found.empty()) return fail(Errc::not_found, fmt::format("'{}' has no IP address", host));
  return found;
}

std::string system_host_name() {
  std::array<char, 256> buffer{};
  if (gethostname(buffer.data(), buffer.size() - 1) != 0) return {};
  std::string name = buffer.data();
  return fault_of_host(name).empty() ? name : std::string();
}

}  // namespace postern::policy
