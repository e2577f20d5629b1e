// bogus_bounce: bounces that no mail server makes.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("bogus_bounce: refuses the second recipient of a bounce", "[plugins][bogus_bounce]") {
  const bool bounce = GENERATE(true, false);
  Harness h;
  h.load("bogus_bounce");
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net", bounce ? "" : "a@b.example").code == 250);
  CHECK(in_one_line(h.client.command("RCPT TO:<y@example.net>")).substr(0, 9) ==
        (bounce ? "550 5.7.1" : "250 2.0.0"));
  CHECK(h.client.message().code == 250);
  CHECK(test::delivered_to(h.downstream) ==
        (bounce ? "<x@example.net> " : "<x@example.net> <y@example.net> "));
  CHECK(h.end() == "");
}

TEST_CASE("bogus_bounce: one that was refused is no recipient", "[plugins][bogus_bounce]") {
  Harness h;
  h.load("badrcptto", "list = [\"x@example.net\"]");
  h.load("bogus_bounce");
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net", "").code == 550);
  CHECK(h.client.command("RCPT TO:<y@example.net>").code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("bogus_bounce: a bounce has no return path of its own", "[plugins][bogus_bounce]") {
  struct Row {
    const char* from;
    const char* field;
    bool refused;
  };
  const auto row = GENERATE(values<Row>({
      {"", "Return-Path: <a@b.example>\r\n", true},
      {"", "Return-Path:\r\n", true},
      {"", "Return-Path: <>\r\n", false},
      {"", "Return-Path: \r\n <>\r\n", false},
      {"", "", false},
      {"a@b.example", "Return-Path: <a@b.example>\r\n", false},
  }));
  CAPTURE(row.from, row.field);
  Harness h;
  h.load("bogus_bounce");
  test::Letter letter;
  letter.from = row.from;
  letter.content = std::string(row.field) + "Subject: s\r\n\r\nb\r\n";
  const std::string said = in_one_line(test::whole_dialogue(h, letter));
  CAPTURE(said);
  CHECK(test::contains(said, row.refused ? "message 550 5.7.1 The return path" : "nowhere 250"));
  CHECK(h.end() == "");
}
