#include <postern/smtp/domain.hpp>

#include <string>

#include "catch.hpp"

using namespace postern;
using namespace postern::smtp;
using namespace std::string_literals;

namespace {
const std::string label63(63, 'a');
}

TEST_CASE("is_domain: dot-separated labels of letters, digits and inner hyphens",
          "[smtp][domain]") {
  for (const std::string& good : {"a"s, "example.net"s, "a-b.c--d.e"s, "xn--bcher-kva.example"s,
                                  "1.2.3.4"s, "foo_bar.example"s,
                                  "b\xc3\xbc"
                                  "cher.example"s,
                                  label63 + ".example"}) {
    CAPTURE(good);
    CHECK(is_domain(good));
  }
  for (const std::string& wrong :
       {""s, "."s, "example."s, ".example"s, "a..b"s, "-a"s, "a-"s, "a.-b.c"s, "a b"s, "a/b"s,
        "a@b"s, "a\0b"s, "a\rb"s, "[1.2.3.4]"s, label63 + "a.example", "\xff.example"s,
        "\xc2\x80.example"s, "a\xc3"s}) {
    CAPTURE(wrong);
    CHECK_FALSE(is_domain(wrong));
  }
}

TEST_CASE("is_domain: at most 255 octets", "[smtp][domain]") {
  const std::string three = label63 + "." + label63 + "." + label63 + ".";
  CHECK(is_domain(three + label63));
  CHECK_FALSE(is_domain(three + std::string(61, 'a') + ".b.c"));
}

TEST_CASE("is_address_literal: IPv4, IPv6 by its tag, or another tag", "[smtp][domain]") {
  for (const char* good : {"[192.0.2.1]", "[IPv6:2001:db8::1]", "[ipv6:::]",
                           "[IPv6:::ffff:192.0.2.1]", "[x-new:anything!]"}) {
    CAPTURE(good);
    CHECK(is_address_literal(good));
  }
  for (const char* wrong : {"[]",
                            "[",
                            "]",
                            "192.0.2.1",
                            "[192.0.2.1",
                            "[192.0.2.256]",
                            "[192.0.2]",
                            "[::1]",
                            "[IPv6:192.0.2.1]",
                            "[IPv6:]",
                            "[IPv6:::g]",
                            "[IPv6:fe80::1%eth0]",
                            "[x:]",
                            "[:x]",
                            "[x-:y]",
                            "[x:a b]",
                            "[x:[y]",
                            "[x:y\\]",
                            "[1111:2222]",
                            "[192.0.2.1]x",
                            "[IPv6: ::1]"}) {
    CAPTURE(wrong);
    CHECK_FALSE(is_address_literal(wrong));
  }
}

TEST_CASE("address_of_literal: gives the address", "[smtp][domain]") {
  CHECK(address_of_literal("[192.0.2.1]")->text() == "192.0.2.1");
  CHECK(address_of_literal("[IPv6:2001:DB8::1]")->text() == "2001:db8::1");
  CHECK_FALSE(address_of_literal("[x:192.0.2.1]"));
  CHECK_FALSE(address_of_literal("192.0.2.1"));
}

TEST_CASE("parse_helo_name: takes misnamed hosts and nothing that could inject",
          "[smtp][domain][line:32]") {
  for (const char* good : {"mx.example.net", "localhost", "my_pc", "-x-", "mx.example.",
                           "[192.0.2.1]", "[IPv6:::1]", "192.0.2.1"}) {
    CAPTURE(good);
    const auto name = parse_helo_name(good);
    REQUIRE(name);
    CHECK(*name == good);
  }
  for (const std::string& wrong :
       {""s, "."s, "a b"s, "a..b"s, "a\rb"s, "a\0b"s, "<a>"s, "a;b"s, "${run}"s, "[192.0.2.1"s,
        "[bad]"s, "b\xc3\xbc.example"s, "a`b"s}) {
    CAPTURE(wrong);
    const auto name = parse_helo_name(wrong);
    REQUIRE_FALSE(name);
    CHECK(name.error().code == Errc::malformed);
  }
  CHECK(parse_helo_name(std::string(256, 'a')).error().code == Errc::too_long);
}
