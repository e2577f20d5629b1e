// resolvable_rcpthost: what clients whom we relay for hear about domains that take no mail.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("resolvable_rcpthost: a recipient's domain must take mail",
          "[plugins][resolvable_rcpthost][line:31]") {
  struct Row {
    const char* why;
    const char* to;
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"a mail host", "x@good.example", "250"},
      {"no MX at all", "x@address.example", "250"},
      {"a null MX", "x@null.example", "556 5.1.10 The recipient's domain takes no mail"},
      {"a null MX that is not alone", "x@nullish.example", "250"},
      {"no such domain", "x@gone.example", "550 5.1.2 The recipient's domain does not exist"},
      {"a DNS that fails", "x@broken.example", "250"},
      {"an address literal", "x@[198.51.100.9]", "250"},
  }));
  CAPTURE(row.why);
  Harness h;
  h.dns.add_mx("good.example", 10, "mx.good.example");
  h.dns.add_a("address.example", "198.51.100.7");
  h.dns.add_mx("null.example", 0, ".");
  h.dns.add_mx("nullish.example", 0, ".");
  h.dns.add_mx("nullish.example", 10, "mx.good.example");
  h.dns.fail("broken.example", Errc::servfail);
  h.load("relay", "clients = [\"192.0.2.9\"]");
  h.load("resolvable_rcpthost");
  REQUIRE(test::arrive(h, "192.0.2.9").code == 220);
  const std::string heard = in_one_line(h.client.recipient(row.to));
  CHECK(heard.substr(0, std::string(row.heard).size()) == row.heard);
  CHECK(h.end() == "");
}

TEST_CASE("resolvable_rcpthost: strangers cannot ask about domains",
          "[plugins][resolvable_rcpthost]") {
  Harness h;
  h.dns.add_mx("example.net", 0, ".");
  h.load("resolvable_rcpthost");
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.end() == "");
}
