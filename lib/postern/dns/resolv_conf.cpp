#include <postern/base/text.hpp>
#include <postern/dns/resolv_conf.hpp>

#include <algorithm>
#include <fstream>

namespace postern::dns {
namespace {

constexpr std::size_t most_octets = 64 * 1024;  // of the file that are looked at
constexpr std::string_view blanks = " \t\r\f\v";

// The next word of `line`, taken off it.
std::string_view take_word(std::string_view& line) {
  const auto begin = std::min(line.find_first_not_of(blanks), line.size());
  const auto end = std::min(line.find_first_of(blanks, begin), line.size());
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

}  // namespace

std::vector<SocketAddress> servers_of(std::string_view text) {
  std::vector<SocketAddress> servers;
  while (!text.empty() && servers.size() < most_system_servers) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (take_word(line) != "nameserver") continue;
    const auto address = IpAddress::parse(take_word(line));  // no zone: fe80::1%eth0 is passed over
    if (address) servers.push_back({*address, dns_port});
  }
  if (servers.empty()) servers.push_back({IpAddress::v4({127, 0, 0, 1}), dns_port});
  return servers;
}

std::vector<SocketAddress> system_servers(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(most_octets, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return servers_of(text);
}

}  // namespace postern::dns
