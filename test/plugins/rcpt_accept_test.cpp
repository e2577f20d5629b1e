// rcpt_accept: take every recipient.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using testing::Harness;

TEST_CASE("rcpt_accept: takes every recipient that has a domain, and the postmaster",
          "[plugins][rcpt_accept]") {
  struct Row {
    const char* to;
    int code;
  };
  const auto row = GENERATE(values<Row>({
      {"x@anywhere.example", 250},
      {"a%b@anywhere.example", 250},
      {"x@[192.0.2.7]", 250},
      {"postmaster", 250},
      {"PostMaster", 250},
      {"x", 550},
  }));
  CAPTURE(row.to);
  Harness h;
  h.load("rcpt_accept");
  test::arrive(h);
  const auto reply = h.client.recipient(row.to);
  CHECK((reply.code == row.code || (row.code == 550 && reply.code / 100 == 5)));
  CHECK(h.end() == "");
}

TEST_CASE("rcpt_accept: a refusal behind it still refuses", "[plugins][rcpt_accept]") {
  const bool accepts_first = GENERATE(true, false);
  Harness h;
  if (accepts_first) h.load("rcpt_accept");
  h.load("badrcptto", "list = [\"x@anywhere.example\"]");
  if (!accepts_first) h.load("rcpt_accept");
  test::arrive(h);
  CHECK(h.client.recipient("x@anywhere.example").code == 550);
  CHECK(h.client.recipient("y@anywhere.example").code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("rcpt_accept: accepts nobody while it is off or only observes",
          "[plugins][rcpt_accept]") {
  const std::string mode = GENERATE("off", "observe");
  Harness h;
  h.load("rcpt_accept", "mode = \"" + mode + "\"");
  CHECK(test::whole_dialogue(h, "x@anywhere.example").code == 550);
  CHECK(h.end() == "");
}
