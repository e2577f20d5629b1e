#include <postern/base/ip.hpp>

#include "catch.hpp"

using namespace postern;

TEST_CASE("IpAddress: reads what RFC 4291 allows and nothing else", "[base][ip]") {
  struct Row {
    const char* in;
    const char* out;
  };
  const auto row = GENERATE(values<Row>({
      {"127.0.0.1", "127.0.0.1"},
      {"2001:DB8:0::1", "2001:db8::1"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"", ""},
      {"127.1", ""},
      {"192.0.2.256", ""},
      {"192.0.2.1 ", ""},
      {"[::1]", ""},
      {"fe80::1%eth0", ""},
  }));
  CAPTURE(row.in);
  const auto address = IpAddress::parse(row.in);
  CHECK((address ? address->text() : "") == row.out);
}

TEST_CASE("IpAddress: a NUL inside ends nothing", "[base][ip]") {
  CHECK_FALSE(IpAddress::parse(std::string_view("127.0.0.1\0x", 11)));
}

TEST_CASE("Network: contains the addresses that share its prefix", "[base][ip]") {
  struct Row {
    const char* network;
    const char* address;
    bool inside;
  };
  const auto row = GENERATE(values<Row>({
      {"192.0.2.0/24", "192.0.2.255", true},
      {"192.0.2.0/24", "192.0.3.0", false},
      {"192.0.2.128/25", "192.0.2.127", false},
      {"10.0.0.1", "10.0.0.1", true},
      {"10.0.0.1", "10.0.0.2", false},
      {"0.0.0.0/0", "203.0.113.9", true},
      {"0.0.0.0/0", "::1", false},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"::/0", "192.0.2.1", false},
  }));
  CAPTURE(row.network, row.address);
  CHECK(Network::parse(row.network)->contains(*IpAddress::parse(row.address)) == row.inside);
}

TEST_CASE("Network: refuses a prefix length that its family does not have", "[base][ip]") {
  CHECK_FALSE(Network::parse("192.0.2.0/33"));
  CHECK_FALSE(Network::parse("::/129"));
  CHECK_FALSE(Network::parse("192.0.2.0/"));
  CHECK_FALSE(Network::parse("192.0.2.0/-1"));
}

TEST_CASE("SocketAddress: needs brackets exactly around IPv6", "[base][ip]") {
  CHECK(SocketAddress::parse("127.0.0.1:25")->text() == "127.0.0.1:25");
  CHECK(SocketAddress::parse("[::1]:2525")->text() == "[::1]:2525");
  for (const char* wrong :
       {"::1:25", "[127.0.0.1]:25", "127.0.0.1", "127.0.0.1:65536", "x:25", ":25"})
    CHECK_FALSE(SocketAddress::parse(wrong));
}
