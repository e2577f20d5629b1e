// ipblacklist: who makes errors faster than his bucket fills is blocked for a while.
#include <postern/store/state.hpp>

#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using testing::Harness;

namespace {

std::string greeting(Harness& h, const std::string& client = "192.0.2.1") {
  const std::string heard = in_one_line(test::arrive(h, client));
  h.client.close();
  h.run_for(1s);
  return heard.starts_with("220 ") ? "welcome" : heard;
}

// `n` recipients that do not exist, in one moment.
void guess(Harness& h, int n, const std::string& client = "192.0.2.1") {
  h.client.connect(client);
  REQUIRE(h.client.greeting().code == 220);
  for (int i = 0; i < n; ++i)
    REQUIRE(h.client.recipient("guess" + std::to_string(i) + "@t.example").code == 550);
  h.client.close();
  h.run_for(1s);
}

void load(Harness& h, const std::string& keys = {}) {
  h.load("ipblacklist", keys);
  h.load("rcpt_ok", "recipients = [\"x@t.example\"]");
}

constexpr const char* blocked = "554 5.7.1 Too many errors from 192.0.2.1";

}  // namespace

TEST_CASE("ipblacklist: 25 bad recipients block a client for an hour", "[plugins][ipblacklist]") {
  Harness h;
  load(h);
  guess(h, 25);
  CHECK(greeting(h) == blocked);
  CHECK(greeting(h, "192.0.2.2") == "welcome");
  h.run_for(59min);
  CHECK(greeting(h) == blocked);
  h.run_for(2min);
  CHECK(greeting(h) == "welcome");
  CHECK(h.end() == "");
}

TEST_CASE("ipblacklist: tokens come back", "[plugins][ipblacklist]") {
  Harness h;
  load(h, "burst = 5\neach = \"1m\"");
  for (int i = 0; i < 10; ++i) {
    guess(h, 3);
    h.run_for(3min);
  }
  CHECK(greeting(h) == "welcome");
  guess(h, 6);
  CHECK(greeting(h) == blocked);
  CHECK(h.end() == "");
}

TEST_CASE("ipblacklist: what costs a token", "[plugins][ipblacklist]") {
  struct Row {
    const char* why;
    const char* events;
    const char* command;
    bool blocks;
  };
  const auto row = GENERATE(values<Row>({
      {"recipients", "[\"recipient\"]", "RCPT TO:<guess@t.example>", true},
      {"... unless not", "[\"command\"]", "RCPT TO:<guess@t.example>", false},
      {"commands", "[\"command\"]", "FROB", true},
      {"... unless not", "[\"recipient\"]", "FROB", false},
      {"connections", "[\"connect\"]", "NOOP", true},
      {"either", "[\"recipient\", \"command\"]", "FROB", true},
  }));
  CAPTURE(row.why, row.events);
  Harness h;
  load(h, std::string("burst = 2\neach = \"1h\"\nevents = ") + row.events);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(test::arrive(h).code == 220);
    REQUIRE(h.client.command("EHLO client.example").code == 250);
    REQUIRE(h.client.command("MAIL FROM:<a@b.example>").code == 250);
    REQUIRE(h.client.command(row.command).code > 0);
    h.client.close();
    h.run_for(1s);
  }
  CHECK((greeting(h) == blocked) == row.blocks);
  CHECK(h.end() == "");
}

TEST_CASE("ipblacklist: who is ignored is not counted", "[plugins][ipblacklist]") {
  Harness h;
  load(h, "burst = 1\nignore = [\"192.0.2.0/25\"]");
  guess(h, 9);
  CHECK(greeting(h) == "welcome");
  CHECK(h.store.updates() == 0);
  guess(h, 9, "192.0.2.200");
  CHECK(greeting(h, "192.0.2.200").starts_with("554 "));
  CHECK(h.end() == "");
}

TEST_CASE("ipblacklist: an administrator blocks and unblocks", "[plugins][ipblacklist]") {
  Harness h;
  load(h, "mode = \"defer\"\nnetworks = { v4 = 24 }");
  const store::State state(h.store, "ipblacklist");
  REQUIRE(state.put("block 192.0.2.0/24", "by hand", 24h).has_value());
  CHECK(greeting(h) == "421 4.7.1 Too many errors from 192.0.2.1");
  REQUIRE(state.erase("block 192.0.2.0/24").has_value());
  CHECK(greeting(h) == "welcome");
  CHECK(h.end() == "");
}

TEST_CASE("ipblacklist: a store that fails is on_error's case", "[plugins][ipblacklist]") {
  const std::string on_error = GENERATE("", "on_error = \"reject\"");
  CAPTURE(on_error);
  Harness h;
  load(h, on_error);
  h.store.fail_with(Errc::io);
  CHECK(greeting(h) == (on_error.empty() ? "welcome" : "554 5.3.0 This cannot be checked here"));
  CHECK(h.end() == "");
}

TEST_CASE("ipblacklist: guessed passwords count", "[plugins][ipblacklist]") {
  const bool counted = GENERATE(true, false);
  CAPTURE(counted);
  Harness h;
  h.settings.auth_without_tls = true;
  h.list("passwords", "anna:correct horse\n");
  h.load("ipblacklist", counted ? "burst = 1\nevents = [\"login\"]" : "burst = 1");
  h.load("flat_file", "file = \"passwords\"");
  REQUIRE(test::arrive(h).code == 220);
  REQUIRE(h.client.command("EHLO client.example").code == 250);
  for (int i = 0; i < 2; ++i)
    REQUIRE(h.client.command("AUTH PLAIN AGFubmEAZ3Vlc3M=").code == 535);  // "guess"
  h.client.close();
  h.run_for(1s);
  CHECK((greeting(h) == "welcome") == !counted);
  CHECK(h.end() == "");
}
