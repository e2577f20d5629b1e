#include <postern/dns/names.hpp>

#include "catch.hpp"

using namespace postern;
using namespace postern::dns;

namespace {

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

Result<Answer<IpAddress>> answer(std::vector<const char*> addresses, bool name_exists = true) {
  Answer<IpAddress> made;
  for (const char* address : addresses) made.records.push_back(ip(address));
  made.name_exists = name_exists;
  return made;
}

}  // namespace

TEST_CASE("reverse_name: octets or nibbles from the last to the first", "[dns][names][line:42]") {
  CHECK(reverse_name(ip("127.0.0.2")) == "2.0.0.127");
  CHECK(reverse_name(ip("::ffff:192.0.2.99")) == "99.2.0.192");  // RFC 5782 section 2.1
  CHECK(reverse_name(ip("2001:db8:1:2:3:4:567:89ab")) ==
        "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2");  // ... section 2.4
  CHECK(pointer_name(ip("192.0.2.1")) == "1.2.0.192.in-addr.arpa");
  CHECK(pointer_name(ip("::1")) ==
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa");
}

TEST_CASE("query_name: lower case, without final dot, within the limits of the wire",
          "[dns][names]") {
  struct Row {
    const char* why;
    std::string name;
    std::string out;  // "": malformed
  };
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  const auto row = GENERATE_COPY(values<Row>({
      {"plain", "example.net", "example.net"},
      {"capitals and a final dot", "MX.Example.NET.", "mx.example.net"},
      {"one label", "localhost", "localhost"},
      {"a local-part's octets", "O'Brien+x=1._spf.example", "o'brien+x=1._spf.example"},
      {"63 octets in a label", label + ".example", label + ".example"},
      {"64 octets in a label", label + "a.example", ""},
      {"253 octets", longest, longest},
      {"253 octets and a final dot", longest + ".", longest},
      {"254 octets", longest + "a", ""},
      {"nothing", "", ""},
      {"the root", ".", ""},
      {"an empty label", "a..b", ""},
      {"a first dot", ".a", ""},
      {"two final dots", "a.b..", ""},
      {"NUL", std::string("a\0b.example", 11), ""},
      {"CR LF", "a.example\r\n", ""},
      {"a blank, as a quoted local-part may have", "A b.example", "a b.example"},
      {"a tab", "a\tb.example", ""},
      {"DEL", "a\x7f.example", ""},
      {"UTF-8", "b\xc3\xbc.example", ""},
  }));
  CAPTURE(row.why, row.name);
  const auto out = query_name(row.name);
  if (!row.out.empty()) {
    REQUIRE(out);
    CHECK(*out == row.out);
    return;
  }
  REQUIRE_FALSE(out);
  CHECK(out.error().code == Errc::malformed);
  CHECK(out.error().text.find('\r') == std::string::npos);
}

TEST_CASE("is_host_name: what may stand in a Received field or a reply", "[dns][names]") {
  const std::string label(63, 'a');
  for (const std::string& good : {std::string("a"), std::string("mx-1.example.net"),
                                  std::string("_dmarc.Example"), std::string("1.2.3.4"), label}) {
    CAPTURE(good);
    CHECK(is_host_name(good));
  }
  for (const std::string& bad :
       {std::string(), std::string("."), std::string("a."), std::string("a..b"), label + "a",
        std::string("a\"b"), std::string("a\\.b"), std::string("<script>.example"),
        std::string("a b"), std::string("a\0b", 3), std::string("a\r\nb"), std::string("a/b"),
        std::string("b\xc3\xbc.example"), label + "." + label + "." + label + "." + label}) {
    CAPTURE(bad);
    CHECK_FALSE(is_host_name(bad));
  }
}

TEST_CASE("is_listing: only addresses of 127.0.0.0/8 list", "[dns][names][S036]") {
  struct Row {
    const char* why;
    Result<Answer<IpAddress>> answer;
    int lists;  // 1, 0, or -1: malformed
  };
  const auto row = GENERATE(values<Row>({
      {"NXDOMAIN", answer({}, false), 0},
      {"no data", answer({}), 0},
      {"the test entry", answer({"127.0.0.2"}), 1},
      {"several", answer({"127.0.0.4", "127.0.0.10"}), 1},
      {"as in RFC 5782 section 2.1", answer({"127.3.2.1"}), 1},
      {"127.255.254.1 is a value", answer({"127.255.254.1"}), 1},
      {"127.0.0.1 is never a listing", answer({"127.0.0.1"}), -1},
      {"a public resolver", answer({"127.255.255.254"}), -1},
      {"a query error", answer({"127.255.255.252"}), -1},
      {"a parked domain", answer({"1.2.3.4"}), -1},
      {"a parked domain behind a listing", answer({"127.0.0.2", "192.0.2.1"}), -1},
  }));
  CAPTURE(row.why);
  const auto listed = is_listing(row.answer);
  if (row.lists < 0) {
    REQUIRE_FALSE(listed);
    CHECK(listed.error().code == Errc::malformed);
    CHECK(listed.error().text.find(row.answer->records.back().text()) != std::string::npos);
  } else {
    REQUIRE(listed);
    CHECK(*listed == (row.lists == 1));
  }
}

TEST_CASE("is_listing: a list that did not answer has not said \"not listed\"", "[dns][names]") {
  for (const Errc code : {Errc::timed_out, Errc::servfail, Errc::cancelled, Errc::refused}) {
    const Result<Answer<IpAddress>> silent = fail(code, "asking");
    const auto listed = is_listing(silent);
    REQUIRE_FALSE(listed);
    CHECK(listed.error().code == code);
  }
}
