// spamtrap: mail for traps goes to where spam is collected.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using testing::Harness;

TEST_CASE("spamtrap: diverts a message with a trap among its recipients", "[plugins][spamtrap]") {
  struct Row {
    const char* why;
    const char* divert;
    std::vector<std::string> to;
    const char* delivered;
  };
  const auto row = GENERATE(values<Row>({
      {"a trap", "message", {"trap@example.net"}, "<spam@inner.example> "},
      {"in capitals", "message", {"Trap@EXAMPLE.net"}, "<spam@inner.example> "},
      {"others before and behind it",
       "message",
       {"x@example.net", "trap@example.net", "y@example.net"},
       "<spam@inner.example> "},
      {"two traps",
       "message",
       {"trap@example.net", "x@example.net", "any@trap.example"},
       "<spam@inner.example> "},
      {"its own recipients only",
       "recipient",
       {"x@example.net", "trap@example.net"},
       "<x@example.net> <spam@inner.example> "},
      {"no trap",
       "message",
       {"x@example.net", "y@example.net"},
       "<x@example.net> <y@example.net> "},
  }));
  CAPTURE(row.why);
  Harness h;
  h.list("traps", "trap@example.net\n@trap.example\n");
  h.load("spamtrap",
         fmt::format("file = \"traps\"\ndeliver = \"spam@inner.example\"\ndivert = \"{}\"",
                     row.divert));
  test::arrive(h);
  CHECK(h.client.command("EHLO c.example").code == 250);
  CHECK(h.client.command("MAIL FROM:<a@b.example>").code == 250);
  for (const std::string& to : row.to) CHECK(h.client.command("RCPT TO:<" + to + ">").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(test::delivered_to(h.downstream) == row.delivered);
  CHECK(h.end() == "");
}

TEST_CASE("spamtrap: takes no bounces, and nothing from whom we relay for", "[plugins][spamtrap]") {
  Harness h;
  h.load("relay", "clients = [\"192.0.2.9\"]");
  h.load("spamtrap", "list = [\"@trap.example\"]\ndeliver = \"spam@inner.example\"");
  test::Letter letter;
  letter.to = "x@trap.example";
  letter.from = "";
  CHECK(test::whole_dialogue(h, letter).code == 550);
  letter.from = "a@b.example";
  letter.client = "192.0.2.9";
  CHECK(test::whole_dialogue(h, letter).code == 250);
  CHECK(test::delivered_to(h.downstream) == "<x@trap.example> ");
  CHECK(h.end() == "");
}

TEST_CASE("spamtrap: one transaction is not another's", "[plugins][spamtrap]") {
  Harness h;
  h.load("spamtrap", "list = [\"trap@example.net\"]\ndeliver = \"spam@inner.example\"");
  test::arrive(h);
  CHECK(h.client.recipient("trap@example.net").code == 250);
  CHECK(h.client.command("RSET").code == 250);
  CHECK(h.client.command("MAIL FROM:<a@b.example>").code == 250);
  CHECK(h.client.command("RCPT TO:<x@example.net>").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(test::delivered_to(h.downstream) == "<x@example.net> ");
  CHECK(h.end() == "");
}

TEST_CASE("spamtrap: who wrote to a trap stays outside for a while, if so told",
          "[plugins][spamtrap]") {
  Harness h;
  h.load("relay", "clients = [\"192.0.2.9\"]");
  h.load("spamtrap",
         "list = [\"@trap.example\"]\ndeliver = \"spam@inner.example\"\nblock_for = \"1d\"\n"
         "networks = { v4 = 24 }");
  test::Letter letter;
  CHECK(test::whole_dialogue(h, letter).code == 250);
  CHECK(test::arrive(h).code == 220);
  letter.to = "x@trap.example";
  CHECK(test::whole_dialogue(h, letter).code == 250);
  CHECK(test::in_one_line(test::arrive(h, "192.0.2.200")) == "554 5.7.1 192.0.2.0/24 sends spam");
  CHECK(test::arrive(h, "192.0.2.9").code == 220);
  CHECK(test::arrive(h, "198.51.100.1").code == 220);
  h.run_for(std::chrono::hours(25));
  CHECK(test::arrive(h, "192.0.2.200").code == 220);
  CHECK(h.end() == "");
}

TEST_CASE("spamtrap: wants to know where to", "[plugins][spamtrap]") {
  const std::string keys = GENERATE(as<std::string>{}, "", "deliver = \"nowhere\"");
  CAPTURE(keys);
  Harness h;
  h.load("spamtrap", keys);
  REQUIRE(h.problems().size() == 1);
  CHECK(test::contains(h.problems()[0], "deliver"));
}
