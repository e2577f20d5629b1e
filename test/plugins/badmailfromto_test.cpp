// badmailfromto: recipients who do not exist for certain senders.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("badmailfromto: a pair is refused, and nobody else", "[plugins][badmailfromto]") {
  struct Row {
    const char* why;
    const char* from;
    const char* to;
    bool refused;
  };
  const auto row = GENERATE(values<Row>({
      {"the pair", "stalker@b.example", "jane@example.net", true},
      {"in capitals", "Stalker@B.Example", "Jane@Example.NET", true},
      {"with quotes", "\"stalker\"@b.example", "\"jane\"@example.net", true},
      {"the same sender's second pair", "stalker@b.example", "john@example.net", true},
      {"another recipient", "stalker@b.example", "anna@example.net", false},
      {"another sender", "friend@b.example", "jane@example.net", false},
      {"a sender's domain", "any@spam.example", "john@example.net", true},
      {"an address before its domain", "boss@spam.example", "jane@example.net", true},
      {"... and that domain's pair as well", "boss@spam.example", "john@example.net", true},
      {"a pattern", "news-7@c.example", "anna@example.net", true},
      {"a recipient's domain", "fan@b.example", "any@closed.example", true},
      {"no subdomain of it", "fan@b.example", "any@sub.closed.example", false},
      {"a bounce", "", "jane@example.net", false},
  }));
  CAPTURE(row.why, row.from, row.to);
  Harness h;
  h.recipients.add_domain("closed.example");
  h.recipients.add_domain("sub.closed.example");
  h.list("badmailfromto",
         "# from\tto\n"
         "stalker@b.example\tjane@example.net\n"
         "stalker@b.example   john@example.net\n"
         "boss@spam.example jane@example.net\n"
         "@spam.example john@example.net\n"
         "^news-\\d+@ anna@example.net\n"
         "fan@b.example @closed.example\n");
  h.load("badmailfromto", "file = \"badmailfromto\"");
  test::arrive(h);
  CHECK(h.client.recipient(row.to, row.from).code == (row.refused ? 550 : 250));
  CHECK(h.end() == "");
}

TEST_CASE("badmailfromto: says octet for octet what an unknown recipient says",
          "[plugins][badmailfromto]") {
  Harness h;
  h.load("badmailfromto", "list = [\"stalker@b.example jane@ours.example\"]");
  h.load("rcpt_ok", "recipients = [\"jane@ours.example\"]");
  test::arrive(h);
  CHECK(h.client.recipient("jane@ours.example").code == 250);
  CHECK(h.client.command("RSET").code == 250);
  CHECK(h.client.command("MAIL FROM:<stalker@b.example>").code == 250);
  const std::string hidden = in_one_line(h.client.command("RCPT TO:<jane@ours.example>"));
  const std::string unknown = in_one_line(h.client.command("RCPT TO:<none@ours.example>"));
  CHECK(hidden == unknown);
  CHECK(hidden.substr(0, 9) == "550 5.1.1");
  CHECK(h.end() == "");
}

TEST_CASE("badmailfromto: spares who may relay, and a domain has its own pairs",
          "[plugins][badmailfromto]") {
  Harness h;
  h.recipients.add_domain("strict.example");
  h.load("relay", "clients = [\"192.0.2.9\"]");
  h.load("badmailfromto", "list = [\"a@b.example x@example.net\"]");
  h.domain("strict.example", "[plugin.badmailfromto]\nlist = [\"a@b.example x@strict.example\"]\n");
  test::Letter letter;
  letter.client = "192.0.2.9";
  CHECK(test::whole_dialogue(h, letter).code == 250);
  CHECK(test::whole_dialogue(h, "x@example.net").code == 550);
  CHECK(test::whole_dialogue(h, "x@strict.example").code == 550);
  CHECK(test::whole_dialogue(h, "y@strict.example").code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("badmailfromto: a sender without a recipient is a mistake", "[plugins][badmailfromto]") {
  SECTION("in the configuration it is told") {
    Harness h;
    h.load("badmailfromto", "list = [\"stalker@b.example\"]");
    const auto problems = h.problems();
    REQUIRE(problems.size() == 1);
    CHECK(test::contains(problems[0], "'stalker@b.example' has no recipient behind the sender"));
  }
  SECTION("in a file the line is passed over, and the next is not") {
    Harness h;
    h.list("pairs", "a@b.example jane\na@b.example\na@b.example x@example.net\n");
    h.load("badmailfromto", "file = \"pairs\"");
    CHECK(test::whole_dialogue(h).code == 550);
    CHECK(h.end() == "");
    CHECK(test::contains(h.log.lines.at(0), "'a@b.example' has no recipient"));
  }
}
