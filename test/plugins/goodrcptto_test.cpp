// goodrcptto: only those that are listed.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("goodrcptto: refuses who is not listed", "[plugins][goodrcptto]") {
  struct Row {
    const char* why;
    const char* to;
    bool good;
  };
  const auto row = GENERATE(values<Row>({
      {"an address", "anna@example.net", true},
      {"in capitals", "Anna@EXAMPLE.net", true},
      {"with quotes", "\"anna\"@example.net", true},
      {"with an extension", "anna+shop@example.net", true},
      {"with the other character", "anna-list-7@example.net", true},
      {"the address has the character itself", "mary-ann@example.net", true},
      {"... and its first part is nobody", "mary@example.net", false},
      {"only an extension", "+shop@example.net", false},
      {"an extension of nobody", "nobody+anna@example.net", false},
      {"another address", "bert@example.net", false},
      {"the same local-part elsewhere", "anna@b.example", false},
      {"a whole domain", "any@open.example", true},
      {"no subdomain of it", "any@sub.open.example", false},
      {"all subdomains", "any@a.wide.example", true},
      {"not what they are below", "any@wide.example", false},
      {"a local-part of any domain", "security@b.example", true},
      {"a pattern", "ticket-123@example.net", true},
      {"not like the pattern", "ticket-x@example.net", false},
      {"the postmaster is refused by nobody", "postmaster@example.net", true},
  }));
  CAPTURE(row.why, row.to);
  Harness h;
  h.recipients.accept_everything();
  h.list("goodrcptto",
         "anna@example.net\nmary-ann@example.net # she has moved here\n"
         "@open.example\n.wide.example\nsecurity\n");
  h.load("goodrcptto",
         "file = \"goodrcptto\"\npatterns = ['^ticket-\\d+@example\\.net$']\nextension = \"+-\"");
  test::arrive(h);
  const auto said = h.client.recipient(row.to);
  CHECK(said.code == (row.good ? 250 : 550));
  if (!row.good) CHECK(in_one_line(said) == fmt::format("550 5.1.1 Invalid recipient {}", row.to));
  CHECK(h.end() == "");
}

TEST_CASE("goodrcptto: without extension characters the whole local-part counts",
          "[plugins][goodrcptto]") {
  Harness h;
  h.load("goodrcptto", "list = [\"anna@example.net\"]");
  test::arrive(h);
  CHECK(h.client.recipient("anna@example.net").code == 250);
  CHECK(h.client.recipient("anna+shop@example.net").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("goodrcptto: an empty list refuses nobody, a domain's own list its own",
          "[plugins][goodrcptto]") {
  Harness h;
  h.recipients.add_domain("strict.example");
  h.load("goodrcptto");
  h.domain("strict.example", "[plugin.goodrcptto]\nlist = [\"anna@strict.example\"]\n");
  test::arrive(h);
  CHECK(h.client.recipient("any@example.net").code == 250);
  CHECK(h.client.recipient("anna@strict.example").code == 250);
  CHECK(h.client.recipient("any@strict.example").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("goodrcptto: accepts nobody, and spares who may relay", "[plugins][goodrcptto]") {
  Harness h;
  h.load("relay", "clients = [\"192.0.2.9\"]");
  h.load("goodrcptto", "list = [\"@example.net\", \"@elsewhere.example\"]");
  CHECK(test::whole_dialogue(h, "x@elsewhere.example").code == 550);  // it would be relaying
  test::Letter letter;
  letter.client = "192.0.2.9";
  letter.to = "x@third.example";
  CHECK(test::whole_dialogue(h, letter).code == 250);
  CHECK(h.end() == "");
}
