#include <postern/smtp/path.hpp>

#include <string>

#include "catch.hpp"

using namespace postern;
using namespace postern::smtp;
using namespace std::string_literals;

TEST_CASE("forward-path: what the grammar has", "[smtp][path][line:33]") {
  struct Row {
    const char* why;
    const char* in;
    const char* text;
    const char* local_part;
    const char* domain;
    const char* rest;
  };
  const auto row = GENERATE(values<Row>({
      {"plain", "<a@b.example>", "a@b.example", "a", "b.example", ""},
      {"case is kept", "<John.Doe@EXAMPLE.Net>", "John.Doe@EXAMPLE.Net", "John.Doe", "EXAMPLE.Net",
       ""},
      {"all of atext", "<!#$%&'*+-/=?^_`{|}~@b>", "!#$%&'*+-/=?^_`{|}~@b", "!#$%&'*+-/=?^_`{|}~",
       "b", ""},
      {"quoted", "<\"a b\"@c>", "\"a b\"@c", "\"a b\"", "c", ""},
      {"quoted @", "<\"a@b\"@c>", "\"a@b\"@c", "\"a@b\"", "c", ""},
      {"quoted >", "<\"a>b\"@c> X=1", "\"a>b\"@c", "\"a>b\"", "c", "X=1"},
      {"quoted pair", R"(<"a\"b\\"@c>)", R"("a\"b\\"@c)", R"("a\"b\\")", "c", ""},
      {"empty quoted string", "<\"\"@c>", "\"\"@c", "\"\"", "c", ""},
      {"IPv4 literal", "<a@[192.0.2.1]>", "a@[192.0.2.1]", "a", "[192.0.2.1]", ""},
      {"IPv6 literal", "<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]",
       ""},
      {"another tag", "<a@[tag:x>y]>", "a@[tag:x>y]", "a", "[tag:x>y]", ""},
      {"source route", "<@x.example,@y:a@b>", "a@b", "a", "b", ""},
      {"one hop", "<@x:\"a:b\"@c>", "\"a:b\"@c", "\"a:b\"", "c", ""},
      {"parameters", "<a@b>  NOTIFY=NEVER ORCPT=x ", "a@b", "a", "b", "NOTIFY=NEVER ORCPT=x"},
      {"UTF-8", "<gr\xc3\xbcn@b\xc3\xbc.example>", "gr\xc3\xbcn@b\xc3\xbc.example", "gr\xc3\xbcn",
       "b\xc3\xbc.example", ""},
      {"UTF-8, quoted", "<\"\xe4\xb8\xad \"@c>", "\"\xe4\xb8\xad \"@c", "\"\xe4\xb8\xad \"", "c",
       ""},
      {"postmaster", "<PostMaster>", "PostMaster", "PostMaster", "", ""},
      {"postmaster, parameter", "<postmaster> X", "postmaster", "postmaster", "", "X"},
      {"postmaster somewhere", "<postmaster@b>", "postmaster@b", "postmaster", "b", ""},
  }));
  CAPTURE(row.why, row.in);
  const auto parsed = parse_forward_path(row.in);
  REQUIRE(parsed);
  CHECK(parsed->path.text == row.text);
  CHECK(parsed->path.local_part == row.local_part);
  CHECK(parsed->path.domain == row.domain);
  CHECK(parsed->rest == row.rest);
  CHECK_FALSE(parsed->path.is_null());
}

TEST_CASE("paths: what the grammar does not have", "[smtp][path]") {
  for (const std::string& wrong : {"<"s,
                                   ">"s,
                                   "a@b"s,
                                   "<a@b"s,
                                   "a@b>"s,
                                   "<a>"s,
                                   "<@>"s,
                                   "<@b>"s,
                                   "<a@>"s,
                                   "< @a>"s,
                                   "<a@ >"s,
                                   "< a@b>"s,
                                   "<a@b >"s,
                                   "<a @b>"s,
                                   "<a@b>c"s,
                                   "<a@b>>"s,
                                   "<<a@b>>"s,
                                   "<a@b><c@d>"s,
                                   "<.a@b>"s,
                                   "<a.@b>"s,
                                   "<a..b@c>"s,
                                   "<a@b@c>"s,
                                   "<a@b.>"s,
                                   "<a@.b>"s,
                                   "<a@b..c>"s,
                                   "<a@-b>"s,
                                   "<a@xn--->"s,
                                   "<a@b,c>"s,
                                   "<\"a@b>"s,
                                   "<\"a\"b@c>"s,
                                   "<a\"b\"@c>"s,
                                   "<\"a\".\"b\"@c>"s,
                                   "<\"a\\\"@c>"s,
                                   "<\"a\rb\"@c>"s,
                                   "<\"a\\\nb\"@c>"s,
                                   "<\"\0\"@c>"s,
                                   "<a\0@c>"s,
                                   "<a@c\0>"s,
                                   "<\"\\\xc3\xbc\"@c>"s,
                                   "<\xff@c>"s,
                                   "<\xc2\x9b@c>"s,
                                   "<\"\xc0\x80\"@c>"s,
                                   "<\"\xed\xa0\x80\"@c>"s,
                                   "<a@[192.0.2.1>"s,
                                   "<a@[]>"s,
                                   "<a@[1.2.3]>"s,
                                   "<a@x[1.2.3.4]>"s,
                                   "<a@[1.2.3.4]x>"s,
                                   "<whatever:a@a>"s,
                                   "<a:@a>"s,
                                   "<@a:>"s,
                                   "<@a@b>"s,
                                   "<@a,b:c@d>"s,
                                   "<@a,:c@d>"s,
                                   "<@:c@d>"s,
                                   "<@a>"s,
                                   "<@a,@b>"s,
                                   "<@[1.2.3.4]:a@b>"s,
                                   "<(x)a@b>"s,
                                   "<a@b(x)>"s,
                                   "\"x\" <a@b>"s,
                                   "<a\\@b@c>"s,
                                   "<@a:postmaster>"s,
                                   "<\"postmaster\">"s,
                                   "<a@good.example<b@evil.example>"s,
                                   "<\"x@evil.example y\"@good.example"s}) {
    CAPTURE(wrong);
    const auto forward = parse_forward_path(wrong);
    const auto reverse = parse_reverse_path(wrong);
    REQUIRE_FALSE(forward);
    REQUIRE_FALSE(reverse);
    CHECK(forward.error().code == Errc::malformed);
    CHECK(reverse.error().code == Errc::malformed);
  }
}

TEST_CASE("paths: <> is a reverse-path and <postmaster> a forward-path",
          "[smtp][path][line:29][line:30]") {
  const auto null = parse_reverse_path("<> SIZE=1");
  REQUIRE(null);
  CHECK(null->path.is_null());
  CHECK(null->path.mailbox_key().empty());
  CHECK(null->rest == "SIZE=1");
  CHECK_FALSE(parse_reverse_path("<>x"));
  CHECK_FALSE(parse_forward_path("<>"));
  CHECK_FALSE(parse_reverse_path("<postmaster>"));
  CHECK_FALSE(parse_forward_path("<postmaster>x"));
}

TEST_CASE("paths: 64 octets of local-part, 255 of domain, 256 in all", "[smtp][path][line:24]") {
  const std::string local64(64, 'l'), label(61, 'd');
  const std::string long_domain = label + "." + label + "." + label;
  CHECK(parse_forward_path("<" + local64 + "@b>"));
  CHECK(parse_forward_path("<l" + local64 + "@b>").error().code == Errc::too_long);
  CHECK(parse_forward_path("<\"" + std::string(63, 'q') + "\"@b>").error().code == Errc::too_long);

  CHECK(parse_forward_path("<" + local64 + "@" + long_domain + ".dd>").has_value());  // 254 octets
  CHECK(parse_forward_path("<" + local64 + "@" + long_domain + ".ddd.>").has_value() == false);
  CHECK(parse_forward_path("<" + local64 + "@" + long_domain + ".dddd>").error().code ==
        Errc::too_long);
  CHECK(parse_forward_path("<a@" + long_domain + "." + label + ".ddddddd>").error().code ==
        Errc::too_long);
  // The route counts too.
  CHECK(parse_forward_path("<@r:" + local64 + "@" + long_domain + ">").has_value());
  CHECK(parse_forward_path("<@rr.rr:" + local64 + "@" + long_domain + ">").error().code ==
        Errc::too_long);
}

TEST_CASE("MAIL and RCPT arguments: the keyword, blanks behind it, then the path", "[smtp][path]") {
  CHECK(parse_mail_argument("FROM:<a@b>")->path.text == "a@b");
  CHECK(parse_mail_argument("from: <>")->path.is_null());
  CHECK(parse_mail_argument("FROM:  <a@b>  BODY=7BIT")->rest == "BODY=7BIT");
  CHECK(parse_rcpt_argument("To:<a@b>")->path.text == "a@b");
  for (const char* none :
       {"", "FROM", "FROM:", "FROM: ", "LALA: <>", "TO:<a@b>", "FROM <a@b>", "FROM :<a@b>"})
    CHECK(parse_mail_argument(none).error().code == Errc::not_found);
  for (const char* none : {"", "TO", "TO:", "FROM:<a@b>"})
    CHECK(parse_rcpt_argument(none).error().code == Errc::not_found);
  CHECK(parse_mail_argument("FROM:<pepe>").error().code == Errc::malformed);
}

TEST_CASE("paths: brackets may be optional, and nothing else becomes so", "[smtp][path]") {
  CHECK_FALSE(parse_rcpt_argument("TO: a@b"));
  const auto bare = parse_rcpt_argument("TO: a@b NOTIFY=NEVER", Brackets::optional);
  REQUIRE(bare);
  CHECK(bare->path.text == "a@b");
  CHECK(bare->rest == "NOTIFY=NEVER");
  CHECK(parse_rcpt_argument("TO:\"a b\"@c", Brackets::optional)->path.text == "\"a b\"@c");
  CHECK(parse_rcpt_argument("TO:<a@b>", Brackets::optional)->path.text == "a@b");
  for (const char* wrong : {"TO:a@b>", "TO:<a@b", "TO:a", "TO:a@b(x)", "TO:a b@c", "TO:a@b<c@d>"})
    CHECK_FALSE(parse_rcpt_argument(wrong, Brackets::optional));
}

TEST_CASE("Path: mailbox_key() is one form for one mailbox", "[smtp][path][line:33][line:34]") {
  struct Row {
    const char* in;
    const char* key;
  };
  const auto row = GENERATE(values<Row>({
      {"<a@B.Example>", "a@b.example"},
      {"<\"a\"@b>", "a@b"},
      {R"(<"\a"@b>)", "a@b"},
      {R"(<"a\"b"@c>)", "a\"b@c"},
      {"<A@b>", "A@b"},
      {"<@r:a@b>", "a@b"},
      {"<postmaster>", "postmaster"},
      {"<a@[IPv6:2001:DB8::1]>", "a@[ipv6:2001:db8::1]"},
  }));
  CAPTURE(row.in);
  CHECK(parse_forward_path(row.in)->path.mailbox_key() == row.key);
}

TEST_CASE("Path: knows a literal and what needs SMTPUTF8", "[smtp][path]") {
  CHECK(parse_forward_path("<a@[192.0.2.1]>")->path.is_address_literal());
  CHECK_FALSE(parse_forward_path("<a@b>")->path.is_address_literal());
  CHECK_FALSE(parse_forward_path("<a@b>")->path.needs_smtputf8());
  CHECK(parse_forward_path("<\xc3\xbc@b>")->path.needs_smtputf8());
  CHECK(parse_forward_path("<a@\xc3\xbc>")->path.needs_smtputf8());
}

TEST_CASE("parse_mailbox: the whole text or nothing", "[smtp][path]") {
  CHECK(parse_mailbox("a@b.example")->domain == "b.example");
  for (const char* wrong : {"", "<a@b>", "a@b c", "a@b>", "@r:a@b", "a"})
    CHECK_FALSE(parse_mailbox(wrong));
}
