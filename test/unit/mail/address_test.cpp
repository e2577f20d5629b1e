#include <postern/mail/address.hpp>

#include <string>

#include "catch.hpp"
#include "work.hpp"

using namespace postern::mail;

TEST_CASE("parse_addresses: the last '@' outside quotes and comments divides", "[mail][address]") {
  struct Row {
    const char* value;
    const char* domain;
  };
  const auto row = GENERATE(values<Row>({
      {R"("x@evil.example y"@good.example)", "good.example"},
      {R"("a@evil.example" <user@good.example>)", "good.example"},
      {"a@good.example<b@evil.example>", "evil.example"},
      {"user(@evil.example)@good.example", "good.example"},
      {"<@evil.example:user@good.example>", "good.example"},
      {"user@[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"},
      {"<user@[192.0.2.1]>", "[192.0.2.1]"},
      {"user . name @ good . example", "good.example"},
      {R"("a\"b@evil.example"@good.example)", "good.example"},
      {"gr\xc3\xbc\xc3\x9f@b\xc3\xbc.example", "b\xc3\xbc.example"},
      {"=?utf-8?q?a=40evil.example=2C?= <user@good.example>", "good.example"},
  }));
  CAPTURE(row.value);
  const auto list = parse_addresses(row.value);
  REQUIRE(list.mailboxes.size() == 1);
  CHECK(list.mailboxes[0].well_formed);
  CHECK(list.mailboxes[0].domain() == row.domain);
}

TEST_CASE("parse_addresses: what is no addr-spec has no domain", "[mail][address]") {
  for (const char* value :
       {"a",     "<>",          "<a@b>c", "x <a@b>, <", "a@",          "@b",
        "a@b@c", "a..b@c",      ".a@c",   "a@b..c",     "a@b.",        "a b@c",
        "\"a@b", "<a@b",        "a@b>",   "a@[1",       "mailto:a@b,", "<mailto:a@b>",
        "a@b (", "<a@b> <c@d>", "a@b)",   "a,b@[x\\y]"}) {
    CAPTURE(value);
    const auto list = parse_addresses(value);
    CHECK(list.malformed);
  }
  CHECK(parse_addresses("<a@b>c").mailboxes[0].domain().empty());
  CHECK(parse_addresses("<a@b> <c@d>").mailboxes[0].local_part().empty());
}

TEST_CASE("parse_addresses: an '@' in a display name is told", "[mail][address]") {
  CHECK(parse_addresses("trusted@bank.example <x@evil.example>").malformed);
  CHECK_FALSE(parse_addresses("\"trusted@bank.example\" <x@evil.example>").malformed);
}

TEST_CASE("parse_addresses: groups, empty items and obsolete syntax are well-formed",
          "[mail][address]") {
  for (const char* value : {"Undisclosed recipients:;", "A:b@c,\"d e\"@f;, g@h", "a@b,,c@d,", "",
                            " (nobody) ", "J. Doe <a@b>", "<@x,@y:a@b>", "\"a\".b@c"}) {
    CAPTURE(value);
    CHECK_FALSE(parse_addresses(value).malformed);
  }
  const auto list = parse_addresses("A:b@c,d@e;f@g");
  REQUIRE(list.mailboxes.size() == 3);
  CHECK(list.mailboxes[1].group == 0);
  CHECK(list.mailboxes[2].group == Mailbox::npos);
}

TEST_CASE("parse_addresses: an encoded word divides nothing", "[mail][address]") {
  const auto list =
      parse_addresses("=?utf-8?q?x=2C_=3Ca=40evil.example=3E=0D=0A?= <user@good.example>");
  REQUIRE(list.mailboxes.size() == 1);
  CHECK(list.mailboxes[0].name == "x, <a@evil.example>  ");
}

TEST_CASE("parse_addresses: takes linear time whatever the octets", "[mail][address]") {
  for (const char* piece : {"a@b,", "(", "\"", "<", "\\", "a:", ";", "\"a\".", "(a)", "[", ")",
                            "a@", "=?", " a", "<a@b>", "@a:", "=?utf-8?q?a?= "}) {
    CAPTURE(piece);
    CHECK(postern::testing::is_linear(
        piece, [](std::string_view value) { parse_addresses(value, 1'000'000); }));
  }
}

TEST_CASE("parse_addresses: reads no more than its limit", "[mail][address]") {
  std::string value;
  for (int i = 0; i < 100'000; ++i) value += "a@b,";
  const auto list = parse_addresses(value);
  CHECK(list.truncated);
  CHECK(list.mailboxes.size() == 10'000);
  CHECK(parse_addresses(value, 1'000'000).mailboxes.size() == 100'000);
}
