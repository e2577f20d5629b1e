// rcpt_map: whole domains, recipient by recipient.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("rcpt_map: judges its domains' recipients, and no others", "[plugins][rcpt_map]") {
  struct Row {
    const char* why;
    const char* to;
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"listed", "jane@example.org", "250"},
      {"in capitals", "Jane@Example.org", "250"},
      {"several blanks in its line", "john@example.org", "250"},
      {"refused", "sales@example.org", "550 5.1.1 Mailbox closed"},
      {"deferred", "moving@example.org", "450 4.1.1 In a minute"},
      {"not listed", "any@example.org", "550 5.1.1 Nobody of that name"},
      {"of a subdomain that is meant", "any@a.example.org", "550 5.1.1 Nobody of that name"},
      {"a text of its own for a domain", "any@soft.example", "450 4.1.1 Ask again"},
      {"declined: others decide", "guest@example.org", "550 5.7.1"},
      {"another domain: others decide", "any@example.net", "250"},
      {"another domain that nobody has", "any@elsewhere.example", "550 5.7.1"},
  }));
  CAPTURE(row.why, row.to);
  Harness h;
  h.list("map",
         "jane@example.org OK\njohn@example.org \t OK\nsales@example.org DENY Mailbox closed\n"
         "moving@example.org DENYSOFT In a minute\nguest@example.org DECLINED\n");
  h.load("rcpt_ok", "domains = [\"example.net\"]");
  h.load("rcpt_map",
         "domains = [\"example.org\", \".example.org\", \"soft.example\"]\nfile = \"map\"\n"
         "otherwise = \"DENY Nobody of that name\"");
  h.domain("soft.example", "[plugin.rcpt_map]\notherwise = \"DENYSOFT Ask again\"\n");
  test::arrive(h);
  const std::string said = in_one_line(h.client.recipient(row.to));
  CHECK(said.substr(0, std::string(row.heard).size()) == row.heard);
  CHECK(h.end() == "");
}

TEST_CASE("rcpt_map: two of them share nothing", "[plugins][rcpt_map]") {
  Harness h;
  h.load("rcpt_map", "domains = [\"one.example\"]\nlist = [\"anna@one.example OK\"]");
  h.load("rcpt_map",
         "name = \"rcpt_map:two\"\ndomains = [\"two.example\"]\nlist = [\"bert@two.example OK\"]");
  test::arrive(h);
  CHECK(h.client.recipient("anna@one.example").code == 250);
  CHECK(h.client.recipient("bert@two.example").code == 250);
  CHECK(in_one_line(h.client.recipient("bert@one.example")) == "550 5.1.1 No such user");
  CHECK(h.client.recipient("anna@two.example").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("rcpt_map: what it cannot work with is told", "[plugins][rcpt_map]") {
  struct Row {
    const char* keys;
    const char* told;
  };
  const auto row = GENERATE(values<Row>({
      {"", "domains"},
      {"domains = [\"a.example\"]\notherwise = \"NO\"", "otherwise has no verdict"},
      {"domains = [\"a.example\"]\nlist = [\"x@a.example yes\"]", "'x@a.example' has no verdict"},
  }));
  CAPTURE(row.keys);
  Harness h;
  h.load("rcpt_map", row.keys);
  const auto problems = h.problems();
  REQUIRE(problems.size() == 1);
  CHECK(test::contains(problems[0], row.told));
}
