// noop_counter: hangs up on who does nothing.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("noop_counter: the third NOOP in a row is answered by hanging up",
          "[plugins][noop_counter]") {
  Harness h;
  h.load("noop_counter");
  test::arrive(h);
  CHECK(h.client.command("NOOP").code == 250);
  CHECK(h.client.command("NOOP still here").code == 250);
  CHECK(in_one_line(h.client.command("NOOP")) ==
        "421 4.7.0 Stop wasting my time, too many NOOPs in a row");
  CHECK(h.client.rest().empty());
  CHECK(h.end() == "");
}

TEST_CASE("noop_counter: a command about mail begins anew, RSET does not",
          "[plugins][noop_counter]") {
  struct Row {
    const char* between;
    bool anew;
  };
  const auto row = GENERATE(values<Row>({
      {"EHLO client.example", true},
      {"MAIL FROM:<a@b.example>", true},
      {"VRFY someone", true},
      {"HELP", true},
      {"RSET", false},
      {"FROB", false},
  }));
  CAPTURE(row.between);
  Harness h;
  h.load("noop_counter", "most = 2");
  test::arrive(h);
  CHECK(h.client.command("EHLO client.example").code == 250);
  CHECK(h.client.command("NOOP").code == 250);
  h.client.command(row.between);
  CHECK(h.client.command("NOOP").code == (row.anew ? 250 : 421));
  CHECK(h.end() == "");
}

TEST_CASE("noop_counter: sessions do not share a count", "[plugins][noop_counter]") {
  Harness h;
  h.load("noop_counter", "most = 2");
  for (int i = 0; i < 3; ++i) {
    test::arrive(h);
    CHECK(h.client.command("NOOP").code == 250);
    CHECK(h.client.command("QUIT").code == 221);
  }
  CHECK(h.end() == "");
}
