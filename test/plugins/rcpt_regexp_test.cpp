// rcpt_regexp: a table of addresses and patterns with verdicts.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("rcpt_regexp: the first line that matches decides", "[plugins][rcpt_regexp]") {
  struct Row {
    const char* why;
    const char* to;
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"accepted by a pattern", "user12@example.org", "250"},
      {"in capitals", "USER12@Example.ORG", "250"},
      {"refused by a pattern", "user-x@example.org", "550 5.1.1 No such user"},
      {"an address before a pattern", "user99@example.org", "550 5.1.1 Closed"},
      {"an address behind a pattern counts no more", "user77@example.org", "250"},
      {"deferred", "soon@example.org", "450 4.1.1 Not yet"},
      {"declined: others decide", "guest@example.org", "550 5.7.1"},
      {"not in the table: others decide", "any@elsewhere.example", "550 5.7.1"},
      {"... and take him", "any@example.net", "250"},
  }));
  CAPTURE(row.why, row.to);
  Harness h;
  h.list("rcpt_regexp",
         "user99@example.org DENY Closed\n"
         "/^user\\d+\\@example\\.org$/ OK Accepting mail\n"
         "user77@example.org DENY too late\n"
         "soon@example.org  DENYSOFT  Not yet\n"
         "guest@example.org DECLINED\n"
         "@example.org DENY No such user\n");
  h.load("rcpt_ok", "domains = [\"example.net\"]");
  h.load("rcpt_regexp", "file = \"rcpt_regexp\"");
  test::arrive(h);
  const std::string said = in_one_line(h.client.recipient(row.to));
  CHECK(said.substr(0, std::string(row.heard).size()) == row.heard);
  CHECK(h.end() == "");
}

TEST_CASE("rcpt_regexp: OK silences nobody", "[plugins][rcpt_regexp]") {
  Harness h;
  h.load("rcpt_regexp", "list = [\"anna@example.net OK\"]");
  h.load("badrcptto", "list = [\"anna@example.net Not she\"]");
  test::arrive(h);
  CHECK(in_one_line(h.client.recipient("anna@example.net")) == "550 5.1.1 Not she");
  CHECK(h.end() == "");
}

TEST_CASE("rcpt_regexp: a line without a verdict is told", "[plugins][rcpt_regexp]") {
  SECTION("in the configuration") {
    Harness h;
    h.load("rcpt_regexp", "list = [\"anna@example.net\"]");
    const auto problems = h.problems();
    REQUIRE(problems.size() == 1);
    CHECK(test::contains(problems[0], "'anna@example.net' has no verdict"));
  }
  SECTION("in a file it is passed over") {
    Harness h;
    h.list("table", "x@example.net NO\n/^x/ DENY Next\n");
    h.load("rcpt_regexp", "file = \"table\"");
    CHECK(test::whole_dialogue(h).text == "5.1.1 Next");
    CHECK(h.end() == "");
  }
}
