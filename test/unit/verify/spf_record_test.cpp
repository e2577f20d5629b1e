#include <postern/verify/spf_record.hpp>

#include <string>

#include "catch.hpp"

using namespace postern;
using namespace postern::verify;
using Mechanism = SpfDirective::Mechanism;

TEST_CASE("is_spf_record: its version is a word of its own", "[verify][spf]") {
  for (const char* yes : {"v=spf1", "V=SPF1 -all", "v=spf1 "}) CHECK(is_spf_record(yes));
  for (const char* no : {"", "v=spf", "v=spf10", "v=spf1-all", "v=spf1\t-all", " v=spf1",
                         "spf2.0/pra -all", "v=DKIM1; p="})
    CHECK_FALSE(is_spf_record(no));
}

TEST_CASE("parse_spf_record: reads each mechanism and its qualifier", "[verify][spf]") {
  const auto record = parse_spf_record(
      "v=spf1  IP4:192.0.2.0/24 ~ip6:2001:db8::/32 ?a/20//64 mx:%{d2} +ptr:x.example "
      "include:_spf.example -exists:%{i}.list.example -all redirect=r.example exp=e.example "
      "unknown.one=any%%thing  ");
  REQUIRE(record);
  REQUIRE(record->directives.size() == 8);
  const auto& d = record->directives;
  CHECK(d[0].mechanism == Mechanism::ip4);
  CHECK(d[0].v4_bits == 24);
  CHECK(d[0].text == "IP4:192.0.2.0/24");
  CHECK(d[1].qualifier == SpfResult::softfail);
  CHECK(d[1].v6_bits == 32);
  CHECK(d[2].qualifier == SpfResult::neutral);
  CHECK(d[2].v4_bits == 20);
  CHECK(d[2].v6_bits == 64);
  CHECK(d[2].domain.empty());
  CHECK(d[3].mechanism == Mechanism::mx);
  CHECK_FALSE(d[3].domain.empty());
  CHECK(d[4].qualifier == SpfResult::pass);
  CHECK(d[6].text == "exists:%{i}.list.example");
  CHECK(d[7].mechanism == Mechanism::all);
  CHECK(d[7].qualifier == SpfResult::fail);
  CHECK_FALSE(record->redirect.empty());
  CHECK_FALSE(record->explanation.empty());
  CHECK(record->of_all_others() == SpfResult::fail);
}

TEST_CASE("parse_spf_record: nothing, and what it says of others", "[verify][spf]") {
  const auto empty = parse_spf_record("v=spf1");
  REQUIRE(empty);
  CHECK(empty->directives.empty());
  CHECK_FALSE(empty->of_all_others());
  CHECK(parse_spf_record("v=spf1 a ?all")->of_all_others() == SpfResult::neutral);
  CHECK(parse_spf_record("v=spf1 +all -all")->of_all_others() == SpfResult::pass);
}

TEST_CASE("parse_spf_record: what is wrong anywhere is an error that names it", "[verify][spf]") {
  struct Row {
    const char* term;
    const char* why;
  };
  const auto row = GENERATE(values<Row>({
      {"moo", "'moo': no mechanism has this name"},
      {"-", "'-': no mechanism has this name"},
      {"--all", "'--all': no mechanism has this name"},
      {"redirect:a.example", "'redirect:a.example': no mechanism has this name"},
      {"all:x", "'all:x': 'all' has no argument"},
      {"all/8", "'all/8': 'all' has no argument"},
      {"include", "'include': it wants a domain"},
      {"include/24", "'include/24': it wants a domain"},
      {"exists", "'exists': it wants a domain"},
      {"ip4", "'ip4': it wants an address"},
      {"ip4:", "'ip4:': no IPv4 address"},
      {"ip4:1.2.3", "'ip4:1.2.3': no IPv4 address"},
      {"ip4:01.2.3.4", "'ip4:01.2.3.4': no IPv4 address"},
      {"ip4:1.2.3.4/33", "'ip4:1.2.3.4/33': no prefix length"},
      {"ip4:1.2.3.4/", "'ip4:1.2.3.4/': no prefix length"},
      {"ip4:1.2.3.4/024", "'ip4:1.2.3.4/024': no prefix length"},
      {"ip4:1.2.3.4//24", "'ip4:1.2.3.4//24': no prefix length"},
      {"ip4:::1", "'ip4:::1': no IPv4 address"},
      {"ip6:1.2.3.4", "'ip6:1.2.3.4': no IPv6 address"},
      {"ip6:2001:db8::/129", "'ip6:2001:db8::/129': no prefix length"},
      {"ip6:fe80::1%eth0", "'ip6:fe80::1%eth0': no IPv6 address"},
      {"a/33", "'a/33': no prefix length"},
      {"a//129", "'a//129': no prefix length"},
      {"a/", "'a/': no prefix length"},
      {"a/24/64", "'a/24/64': no prefix length"},
      {"a///64", "'a///64': no prefix length"},
      {"a:x.example/99999999999999999999", "'a:x.example/99999999999999999999': no prefix length"},
      {"ptr/24", "'ptr/24': neither a domain nor a prefix length follows"},
      {"1up=x", "'1up=x': no modifier has such a name"},
      {"=all", "'=all': no modifier has such a name"},
      {"x=%", "'x=%': '%' before something else than '{', '%', '_' or '-'"},
      {"redirect=",
       "'redirect=': no domain: it ends neither in a macro nor in a dot and a "
       "top-level domain"},
  }));
  CAPTURE(row.term);
  const std::string before = std::string("v=spf1 ") + row.term + " -all";
  const std::string behind = std::string("v=spf1 +all ") + row.term;
  for (const std::string& text : {before, behind}) {
    const auto record = parse_spf_record(text);
    REQUIRE_FALSE(record);
    CHECK(record.error().code == Errc::malformed);
    CHECK(record.error().text == row.why);
  }
}

TEST_CASE("parse_spf_record: redirect and exp stand there once", "[verify][spf]") {
  CHECK_FALSE(parse_spf_record("v=spf1 redirect=a.example redirect=a.example"));
  CHECK_FALSE(parse_spf_record("v=spf1 exp=a.example -all EXP=b.example"));
  CHECK(parse_spf_record("v=spf1 other=1 other=2 -all"));
}

TEST_CASE("parse_spf_record: octets that no record has, and more than 8 KiB", "[verify][spf]") {
  CHECK_FALSE(parse_spf_record("v=spf1 a:\xef\xbb\xbfx.example"));
  CHECK_FALSE(parse_spf_record(std::string("v=spf1 a:x.example\0 -all", 24)));
  CHECK_FALSE(parse_spf_record("v=spf1 a\tmx"));
  CHECK_FALSE(parse_spf_record("v=spf1 a\r\n"));
  std::string record = "v=spf1";
  while (record.size() < max_spf_record_octets - 5) record += " a:b.c";
  record.resize(max_spf_record_octets, ' ');
  CHECK(parse_spf_record(record));
  CHECK_FALSE(parse_spf_record(record + " "));
}

TEST_CASE("SpfDirective: networks hold within a family", "[verify][spf]") {
  struct Row {
    const char* term;
    const char* client;
    bool covered;
  };
  const auto row = GENERATE(values<Row>({
      {"ip4:192.0.2.0/24", "192.0.2.255", true},
      {"ip4:192.0.2.0/24", "192.0.3.0", false},
      {"ip4:192.0.2.129/25", "192.0.2.128", true},
      {"ip4:192.0.2.129/25", "192.0.2.127", false},
      {"ip4:192.0.2.1", "192.0.2.1", true},
      {"ip4:192.0.2.1", "::ffff:192.0.2.1", true},
      {"ip4:0.0.0.0/0", "255.1.2.3", true},
      {"ip4:0.0.0.0/0", "2001:db8::1", false},
      {"ip6:::/0", "2001:db8::1", true},
      {"ip6:::/0", "192.0.2.1", false},
      {"ip6:::ffff:192.0.2.1", "192.0.2.1", false},
      {"ip6:::ffff:0:0/96", "192.0.2.1", false},
      {"ip6:2001:db8::/33", "2001:db8:7fff::1", true},
      {"ip6:2001:db8::/33", "2001:db8:8000::1", false},
  }));
  CAPTURE(row.term, row.client);
  const auto record = parse_spf_record(std::string("v=spf1 ") + row.term);
  REQUIRE(record);
  const SpfDirective& directive = record->directives.front();
  CHECK(directive.covers(directive.network, IpAddress::parse(row.client).value()) == row.covered);
}
