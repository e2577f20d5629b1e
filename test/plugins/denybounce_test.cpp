// denybounce: no bounces to who sends no mail.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("denybounce: refuses bounces to those that send no mail", "[plugins][denybounce]") {
  struct Row {
    const char* why;
    const char* from;
    const char* to;
    bool refused;
  };
  const auto row = GENERATE(values<Row>({
      {"a bounce to it", "", "shop@example.net", true},
      {"in capitals", "", "Shop@Example.NET", true},
      {"with quotes", "", "\"shop\"@example.net", true},
      {"a bounce to a listed domain", "", "any@silent.example", true},
      {"a bounce to another", "", "anna@example.net", false},
      {"mail to it", "a@b.example", "shop@example.net", false},
      {"who only calls himself a daemon", "MAILER-DAEMON@b.example", "shop@example.net", false},
  }));
  CAPTURE(row.why, row.from, row.to);
  Harness h;
  h.recipients.add_domain("silent.example");
  h.list("denybounce", "shop@example.net\n@silent.example # lists and machines\n");
  h.load("denybounce", "file = \"denybounce\"");
  test::arrive(h);
  CHECK(h.client.recipient(row.to, row.from).code == (row.refused ? 550 : 250));
  CHECK(h.end() == "");
}

TEST_CASE("denybounce: may also refuse those that name themselves", "[plugins][denybounce]") {
  Harness h;
  h.load("denybounce",
         "list = [\"@example.net\"]\ndaemons = [\"<>\", \"mailer-daemon\", \"postmaster\"]");
  test::Letter letter;
  for (const char* from : {"", "MAILER-DAEMON@b.example", "postmaster@b.example"}) {
    letter.from = from;
    CHECK(in_one_line(test::whole_dialogue(h, letter)) ==
          "rcpt 550 5.7.1 x@example.net does not send mail, so it can not bounce");
  }
  letter.from = "anna@b.example";
  CHECK(test::whole_dialogue(h, letter).code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("denybounce: put off to DATA, who only asks hears that it exists",
          "[plugins][denybounce]") {
  Harness h;
  h.load("denybounce", "list = [\"x@example.net\"]\nenforce_at = \"data\"");
  test::Letter letter;
  letter.from = "";
  CHECK(in_one_line(test::whole_dialogue(h, letter)).substr(0, 14) == "data 554 5.7.1");
  CHECK(h.end() == "");
}
