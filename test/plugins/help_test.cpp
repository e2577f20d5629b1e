// help: what HELP says.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("help: answers what it is asked", "[plugins][help]") {
  struct Row {
    const char* said;
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"HELP", "214 2.0.0 Ask the postmaster"},
      {"HELP MAIL", "214 2.0.0 MAIL FROM:<address>\n2.0.0 begins a message"},
      {"help mail ", "214 2.0.0 MAIL FROM:<address>\n2.0.0 begins a message"},
      {"HELP RCPT", "214 2.0.0 No help available for SMTP command: RCPT"},
      {"HELP ../etc/passwd", "502 5.5.1 Invalid command name"},
      {"HELP MAIL RCPT", "502 5.5.1 Invalid command name"},
  }));
  CAPTURE(row.said);
  Harness h;
  h.load("help",
         "text = \"Ask the postmaster\"\n[[plugin.topic]]\ncommand = \"MAIL\"\n"
         "text = \"MAIL FROM:<address>\\nbegins a message\"\n");
  test::arrive(h);
  CHECK(in_one_line(h.client.command(row.said)) == row.heard);
  CHECK(h.client.command("NOOP").code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("help: may not be implemented", "[plugins][help]") {
  Harness h;
  h.load("help", "not_implemented = true");
  test::arrive(h);
  CHECK(in_one_line(h.client.command("HELP")) == "502 5.5.1 Not implemented");
  CHECK(in_one_line(h.client.command("HELP MAIL")) == "502 5.5.1 Not implemented");
  CHECK(h.end() == "");
}

TEST_CASE("help: without settings tells how to ask", "[plugins][help]") {
  Harness h;
  h.load("help");
  test::arrive(h);
  CHECK(in_one_line(h.client.command("HELP")) ==
        "214 2.0.0 Try \"HELP COMMAND\" for getting help on COMMAND");
  CHECK(h.end() == "");
}
