// The system's name servers, from resolv.conf(5). Tolerant: what is odd is passed over, since the
// file belongs to others and a mail server must start all the same.
#pragma once

#include <postern/base/ip.hpp>

#include <string_view>
#include <vector>

namespace postern::dns {

inline constexpr std::uint16_t dns_port = 53;
inline constexpr std::size_t most_system_servers = 3;  // resolv.conf(5): MAXNS

// The addresses of its `nameserver` lines; 127.0.0.1 when there is none, as resolv.conf(5) says.
std::vector<SocketAddress> servers_of(std::string_view resolv_conf);

// The same for a file; one that cannot be read is empty. Blocks: for the start of a program.
std::vector<SocketAddress> system_servers(const char* path = "/etc/resolv.conf");

}  // namespace postern::dns
