// Host names, and the addresses behind them at load time.
#pragma once

#include <postern/base/ip.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::policy {

// Why `name` is no domain name (RFC 5321 section 4.1.2, RFC 6531 section 3.3: octets above 127 are
// allowed): "has an empty label". Empty when it is one. At most 253 octets, labels at most 63.
std::string_view fault_of_domain(std::string_view name);

// The same for a host that appears on the wire: ASCII letters, digits and hyphens only.
std::string_view fault_of_host(std::string_view name);

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  std::optional<SocketAddress> address;  // when the host is an address
};

// "127.0.0.1:25", "[::1]:25", "mail.example.net:25"; port 0 is malformed.
Result<Endpoint> parse_endpoint(std::string_view text);

// Asks the system, and waits: for start-up only. Each address once, in the resolver's order.
Result<std::vector<SocketAddress>> resolve(const std::string& host, std::uint16_t port);

// The system's own name; empty when that is no host name.
std::string system_host_name();

}  // namespace postern::policy
