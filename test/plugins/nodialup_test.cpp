// nodialup: refuses direct mail from lines of dial-up customers.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("nodialup: tells lines of customers from servers by their name", "[plugins][nodialup]") {
  struct Row {
    const char* name;
    bool refused;
  };
  const auto row = GENERATE(values<Row>({
      // As providers name their lines.
      {"p54a7f2c1.dip0.t-ipconnect.example", false},  // nothing to tell it by: neither hex nor word
      {"pc600247b.dip.isp.example", true},            // the address in hex
      {"198-0-36-123.isp.example", true},
      {"123.36.0.198.dyn.isp.example", true},
      {"host123-36-0.pool.isp.example", true},
      {"cpe-198-0-36-123.nyc.res.isp.example", true},
      {"198.0.36.123.cable.isp.example", true},
      {"c-198-0-36-123.hsd1.ca.isp.example", true},
      {"ip198000036123.isp.example", true},
      {"123036000198.isp.example", true},
      {"adsl-7.isp.example", true},
      {"7.dsl.isp.example", true},
      {"ppp7.isp.example", true},
      {"dhcp-12.campus.example", true},
      {"broadband.7.isp.example", true},
      // As people name servers.
      {"mail.example.org", false},
      {"mx1.example.org", false},
      {"mail-lf1-f45.google.example", false},
      {"o1.ptr123.sendgrid.example", false},
      {"a8-31.smtp-out.amazonses.example", false},
      {"mail-db8eur05on2040.outbound.protection.outlook.example", false},
      {"static-198-0-36-123.isp.example", false},
      {"198-0-36-123.static.isp.example", false},
      {"pool.ntp.example", false},      // a word, and no digits
      {"dynamics.crm.example", false},  // not that word
      {"client.mail7.example", true},
      {"mx198.36.example.org", false},  // two octets are chance
  }));
  CAPTURE(row.name);
  Harness h;
  h.dns.add_ptr("198.0.36.123", row.name);
  h.load("nodialup");
  test::Letter letter;
  letter.client = "198.0.36.123";
  const test::Heard heard = test::whole_dialogue(h, letter);
  CHECK(heard.code == (row.refused ? 550 : 250));
  if (row.refused)
    CHECK(in_one_line(heard) == fmt::format("rcpt 550 5.7.1 Direct mail from dynamic address space "
                                            "({}) is not accepted, use your provider's relay",
                                            row.name));
  CHECK(h.end() == "");
}

TEST_CASE("nodialup: who greets with his confirmed name is a server", "[plugins][nodialup]") {
  struct Row {
    const char* why;
    const char* helo;
    const char* leads_to;
    int code;
  };
  const auto row = GENERATE(values<Row>({
      {"both", "DSL-7.isp.example", "192.0.2.1", 250},
      {"another greeting", "mail.example", "192.0.2.1", 550},
      {"not confirmed", "dsl-7.isp.example", "192.0.2.99", 550},
  }));
  CAPTURE(row.why);
  Harness h;
  h.dns.add_ptr("192.0.2.1", "dsl-7.isp.example");
  h.dns.add_a("dsl-7.isp.example", row.leads_to);
  h.load("nodialup");
  test::Letter letter;
  letter.helo = row.helo;
  CHECK(test::whole_dialogue(h, letter).code == row.code);
  CHECK(h.end() == "");
}

TEST_CASE("nodialup: patterns refuse and spare, per domain", "[plugins][nodialup]") {
  Harness h;
  h.recipients.add_domain("lax.example");
  h.recipients.add_domain("own.example");
  h.dns.add_ptr("192.0.2.1", "dsl-7.isp.example");
  h.dns.add_ptr("192.0.2.2", "home.user.example");
  h.list("nodialup", "/^home[.]/  Not from home\n");
  h.load("nodialup", "file = \"nodialup\"\nspare = [\"^dsl-7[.]isp\"]");
  h.domain("lax.example", "[plugin.nodialup]\nmode = \"off\"\n");
  h.domain("own.example", "[plugin.nodialup]\nspare = []\n");
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.client.recipient("x@own.example").code == 550);
  h.client.close();
  test::arrive(h, "192.0.2.2");
  CHECK(in_one_line(h.client.recipient("x@example.net")) == "550 5.7.1 Not from home");
  CHECK(h.client.recipient("x@lax.example").code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("nodialup: an IPv6 address in a name is found", "[plugins][nodialup]") {
  Harness h;
  h.dns.add_ptr("2001:db8::7", "x20010db8000000000000000000000007.isp.example");
  h.dns.add_ptr("2001:db8::8", "mail.example");
  h.load("nodialup");
  test::Letter letter;
  letter.client = "2001:db8::7";
  CHECK(test::whole_dialogue(h, letter).code == 550);
  letter.client = "2001:db8::8";
  CHECK(test::whole_dialogue(h, letter).code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("nodialup: without a name, or with a silent name server, nobody is refused",
          "[plugins][nodialup]") {
  const bool silent = GENERATE(true, false);
  Harness h;
  if (silent) h.dns.silence("1.2.0.192.in-addr.arpa");
  h.load("nodialup");
  CHECK(test::whole_dialogue(h).code == 250);
  CHECK(h.end() == "");
}
