#include <postern/dns/resolv_conf.hpp>

#include "catch.hpp"

using namespace postern;
using namespace postern::dns;

namespace {

std::string listed(std::string_view text) {
  std::string out;
  for (const SocketAddress& server : servers_of(text)) out += server.text() + " ";
  return out;
}

}  // namespace

TEST_CASE("servers_of: reads resolv.conf and passes over what is odd", "[dns][S030]") {
  struct Row {
    const char* why;
    std::string text;
    std::string servers;
  };
  const std::string local = "127.0.0.1:53 ";
  const auto row = GENERATE_COPY(values<Row>({
      {"one", "nameserver 192.0.2.1\n", "192.0.2.1:53 "},
      {"no last newline", "nameserver 192.0.2.1", "192.0.2.1:53 "},
      {"IPv6", "nameserver 2001:db8::1\n", "[2001:db8::1]:53 "},
      {"three at most",
       "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n",
       "192.0.2.1:53 192.0.2.2:53 192.0.2.3:53 "},
      {"other lines and comments",
       "# nameserver 192.0.2.9\nsearch example.net\noptions ndots:2\n;x\nnameserver\t192.0.2.1 # "
       "a\n",
       "192.0.2.1:53 "},
      {"CR LF", "nameserver 192.0.2.1\r\nnameserver 192.0.2.2\r\n", "192.0.2.1:53 192.0.2.2:53 "},
      {"a line with NUL", std::string("name\0server 192.0.2.9\n\0\nnameserver 192.0.2.1\n", 45),
       "192.0.2.1:53 "},
      {"no address", "nameserver\nnameserver localhost\nnameserver 192.0.2\n", local},
      {"a zone", "nameserver fe80::1%eth0\n", local},
      {"an empty file", "", local},
      {"noise", std::string(100'000, '\xff'), local},
  }));
  CAPTURE(row.why);
  CHECK(listed(row.text) == row.servers);
}

TEST_CASE("system_servers: a file that cannot be read leaves 127.0.0.1", "[dns][S030]") {
  for (const char* path : {"/nonexistent/resolv.conf", "/", "/dev/null"}) {
    CAPTURE(path);
    const auto servers = system_servers(path);
    REQUIRE(servers.size() == 1);
    CHECK(servers[0].text() == "127.0.0.1:53");
  }
  CHECK_FALSE(system_servers().empty());
}
