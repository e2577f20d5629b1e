// verybadrcptto: one recipient that only spammers know spoils the message for all of them.
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using testing::Harness;

namespace {

constexpr const char* trap = "list = [\"honey@example.net\"]";

}  // namespace

TEST_CASE("verybadrcptto: spoils the message, wherever it stands and whoever answers the trap",
          "[plugins][verybadrcptto]") {
  const int place = GENERATE(0, 1, 2);
  const bool trap_is_refused = GENERATE(true, false);
  CAPTURE(place, trap_is_refused);
  Harness h;
  const std::string before = trap_is_refused ? "list = [\"^honey@\"]" : "list = [\"^nobody@\"]";
  if (place == 0) h.load("verybadrcptto", trap);
  h.load("badrcptto", before);
  if (place == 1) h.load("verybadrcptto", trap);
  h.load("rcpt_accept");
  if (place == 2) h.load("verybadrcptto", trap);
  test::arrive(h);
  CHECK(h.client.recipient("good@example.net").code == 250);
  CHECK(h.client.recipient("Honey@Example.net").code == (trap_is_refused ? 550 : 250));
  CHECK(h.client.recipient("other@example.net").code == 250);
  const auto before_data = h.sim.elapsed();
  CHECK(in_one_line(h.client.message()) ==
        "554 5.7.1 A recipient of this message takes no mail; it is refused for all");
  CHECK(h.sim.elapsed() - before_data >= 1s);
  CHECK(h.sim.elapsed() - before_data < 2s);
  CHECK(h.downstream.promised() == 0);
  CHECK(h.end() == "");
  CHECK(test::contains(test::all_records(h), "\"plugin\":\"verybadrcptto\""));
}

TEST_CASE("verybadrcptto: who is a trap", "[plugins][verybadrcptto]") {
  struct Row {
    const char* why;
    const char* to;
    bool is_trap;
  };
  const auto row = GENERATE(values<Row>({
      {"the address", "honey@example.net", true},
      {"in capitals", "HONEY@EXAMPLE.NET", true},
      {"in quotes", "\"honey\"@example.net", true},
      {"a longer one", "honeys@example.net", false},
      {"another domain", "honey@other.example", false},
      {"an address without domain", "postmaster", false},
  }));
  CAPTURE(row.why, row.to);
  Harness h;
  h.recipients.add_domain("other.example");
  h.list("verybadrcptto", "# old addresses\nhoney@example.net\npostmaster\n");
  h.load("rcpt_accept");
  h.load("verybadrcptto", "file = \"verybadrcptto\"");
  test::arrive(h);
  CHECK(h.client.recipient("good@example.net").code == 250);
  CHECK(h.client.recipient(row.to).code == 250);
  CHECK(h.client.message().code == (row.is_trap ? 554 : 250));
  CHECK(h.end() == "");
}

TEST_CASE("verybadrcptto: how long a trap counts", "[plugins][verybadrcptto]") {
  const bool for_all = GENERATE(false, true);
  const std::string between = GENERATE("RSET", "EHLO client.example", "");
  CAPTURE(for_all, between);
  Harness h;
  h.load("verybadrcptto",
         std::string(trap) + "\nscope = \"" + (for_all ? "connection" : "transaction") + "\"");
  test::arrive(h);
  CHECK(h.client.command("EHLO client.example").code == 250);
  CHECK(h.client.command("MAIL FROM:<a@b.example>").code == 250);
  CHECK(h.client.command("RCPT TO:<honey@example.net>").code == 250);
  if (between.empty())
    CHECK(h.client.message().code == 554);
  else
    CHECK(h.client.command(between).code == 250);
  CHECK(h.client.command("MAIL FROM:<a@b.example>").code == 250);
  CHECK(h.client.command("RCPT TO:<good@example.net>").code == 250);
  CHECK(h.client.message().code == (for_all ? 554 : 250));
  h.client.close();
  test::arrive(h);
  CHECK(h.client.recipient("good@example.net").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("verybadrcptto: several traps are one", "[plugins][verybadrcptto]") {
  const std::string scope = GENERATE("transaction", "connection");
  Harness h;
  h.load("verybadrcptto",
         "list = [\"honey@example.net\", \"bait@example.net\"]\nscope = \"" + scope + "\"");
  test::arrive(h);
  CHECK(h.client.recipient("honey@example.net").code == 250);
  CHECK(h.client.recipient("bait@example.net").code == 250);
  CHECK(h.client.message().code == 554);
  CHECK(h.end() == "");
}

TEST_CASE("verybadrcptto: the old reply may be kept", "[plugins][verybadrcptto]") {
  Harness h;
  h.load("verybadrcptto", std::string(trap) + "\nunsolicited = true\ndelay = \"0s\"");
  test::arrive(h);
  CHECK(h.client.recipient("honey@example.net").code == 250);
  const std::string said = in_one_line(h.client.message());
  CHECK(said.substr(0, 9) == "554 5.6.1");
  CHECK(said.ends_with(" - spam score exceeded threshold"));
  CHECK(h.sim.elapsed() < 1s);
  CHECK(h.end() == "");
}

TEST_CASE("verybadrcptto: each domain has its own traps", "[plugins][verybadrcptto]") {
  Harness h;
  h.recipients.add_domain("strict.example");
  h.load("verybadrcptto", trap);
  h.domain("strict.example", "[plugin.verybadrcptto]\nlist = [\"bait@strict.example\"]\n");
  test::arrive(h);
  CHECK(h.client.recipient("good@example.net").code == 250);
  CHECK(h.client.recipient("bait@strict.example").code == 250);
  CHECK(h.client.message().code == 554);
  CHECK(h.client.recipient("bait@example.net").code == 250);  // a trap elsewhere only
  CHECK(h.client.message().code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("verybadrcptto: a trap alone, refused, leaves no message to refuse",
          "[plugins][verybadrcptto]") {
  Harness h;
  h.load("badrcptto", "list = [\"honey@example.net\"]");
  h.load("verybadrcptto", trap);
  test::arrive(h);
  CHECK(h.client.recipient("honey@example.net").code == 550);
  CHECK(h.client.command("DATA").code / 100 == 5);
  CHECK(h.end() == "");
}
