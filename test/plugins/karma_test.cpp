// karma: clients are remembered by how they behaved.
#include <postern/facts/karma.hpp>
#include <postern/plugin.hpp>
#include <postern/store/state.hpp>

#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using test::Letter;
using testing::Harness;

namespace {

constexpr const char* outside =
    "550 5.7.1 You were naughty. You cannot connect for 1.00 more days.";

// Of t.example only x is taken.
void use_table(Harness& h) { h.load("rcpt_ok", "recipients = [\"x@t.example\"]"); }

std::string ask(Harness& h, const std::string& to = "x@t.example",
                const std::string& client = "192.0.2.1", const std::string& from = "a@b.example") {
  h.client.connect(client);
  REQUIRE(h.client.greeting().code == 220);
  const std::string heard = in_one_line(h.client.recipient(to, from));
  h.client.close();
  h.run_for(1s);
  return heard.starts_with("250") ? "taken" : heard;
}

void misbehave(Harness& h, int times, const std::string& client = "192.0.2.1") {
  h.client.connect(client);
  REQUIRE(h.client.greeting().code == 220);
  for (int i = 0; i < times; ++i)
    REQUIRE(h.client.recipient("guess" + std::to_string(i) + "@t.example").code == 550);
  h.client.close();
  h.run_for(1s);
}

bool send(Harness& h, int messages = 1) {
  h.client.connect();
  REQUIRE(h.client.greeting().code == 220);
  bool all = true;
  for (int i = 0; i < messages; ++i)
    all = h.client.recipient("x@t.example").code == 250 && h.client.message().code == 250 && all;
  h.client.close();
  h.run_for(1s);
  return all;
}

// Gives what the test wants, as any plugin may.
int award = 0;
class Awarder final : public plugin::PluginOf<Awarder> {
 public:
  void setup(plugin::Hooks& hooks) override { hooks.on_helo(this, &Awarder::give); }

 private:
  void give(plugin::Hello& hello) {
    if (auto* karma = services().find<facts::Karma>("karma")) karma->award(hello.session(), award);
  }
};

}  // namespace

TEST_CASE("karma: who was naughty stays outside for a day", "[plugins][karma]") {
  Harness h;
  h.load("karma");
  use_table(h);
  misbehave(h, 2);
  CHECK(ask(h) == "taken");
  misbehave(h, 3);
  CHECK(ask(h) == outside);
  CHECK(ask(h, "x@t.example", "192.0.2.2") == "taken");
  h.run_for(12h);
  CHECK(ask(h) == "550 5.7.1 You were naughty. You cannot connect for 0.50 more days.");
  h.run_for(12h);
  CHECK(ask(h) == "taken");
  CHECK(h.end() == "");
}

TEST_CASE("karma: at connect, where that is wanted", "[plugins][karma]") {
  Harness h;
  h.load("karma", "enforce_at = \"now\"");
  use_table(h);
  misbehave(h, 3);
  CHECK(in_one_line(test::arrive(h)) ==
        "554 5.7.1 You were naughty. You cannot connect for 1.00 more days.");
  CHECK(h.end() == "");
}

TEST_CASE("karma: nice sessions weigh against naughty ones", "[plugins][karma]") {
  Harness h;
  h.load("karma");
  use_table(h);
  for (int i = 0; i < 2; ++i) CHECK(send(h, 2));
  misbehave(h, 3);
  misbehave(h, 3);
  CHECK(ask(h) == "taken");
  misbehave(h, 3);
  CHECK(ask(h) == outside);
  CHECK(h.end() == "");
}

TEST_CASE("karma: who was naughty often and never nice stays outside longer", "[plugins][karma]") {
  Harness h;
  h.load("karma", "penalty = \"1d\"\nmode = \"observe\"");
  use_table(h);
  for (int i = 0; i < 6; ++i) misbehave(h, 3);
  const auto until = store::State(h.store, "karma").get("penalty 192.0.2.1/32");
  REQUIRE(until.has_value());
  REQUIRE(until->has_value());
  const auto left =
      std::stoll(**until) -
      std::chrono::duration_cast<std::chrono::seconds>(h.store.now().time_since_epoch()).count();
  CHECK(left > 5 * 86400);
  CHECK(left <= 6 * 86400);
  CHECK(h.end() == "");
}

TEST_CASE("karma: what is forgotten does not count", "[plugins][karma]") {
  Harness h;
  h.load("karma", "negative = 2\nremember = \"8h\"");
  use_table(h);
  misbehave(h, 3);
  h.run_for(10h);
  misbehave(h, 3);
  CHECK(ask(h) == "taken");
  misbehave(h, 3);
  CHECK(ask(h) == outside);
  CHECK(h.end() == "");
}

TEST_CASE("karma: what counts, and how much", "[plugins][karma]") {
  struct Row {
    const char* why;
    const char* keys;
    const char* from;
    const char* to;
    bool naughty;
  };
  const auto row = GENERATE(values<Row>({
      {"one refused recipient does not", "", "a@b.example", "guess@t.example", false},
      {"... unless it weighs more", "refused = -3", "a@b.example", "guess@t.example", true},
      {"badrcptto weighs twice", "strikes = 2", "a@b.example", "bad@t.example", true},
      {"... unless told", "strikes = 2\nawards = [{ by = \"badrcptto\", points = -1 }]",
       "a@b.example", "bad@t.example", false},
      {"a top-level domain", "tlds = [{ name = \"Work\", points = -4 }]", "a@b.work", "x@t.example",
       true},
      {"another one", "tlds = [{ name = \"work\", points = -4 }]", "a@work.example", "x@t.example",
       false},
  }));
  CAPTURE(row.why);
  Harness h;
  h.load("karma", row.keys);
  h.load("badrcptto", "list = [\"bad@t.example\"]");
  use_table(h);
  (void)ask(h, row.to, "192.0.2.1", row.from);
  CHECK((ask(h) == outside) == row.naughty);
  CHECK(h.end() == "");
}

TEST_CASE("karma: other plugins may award points", "[plugins][karma]") {
  award = GENERATE(-3, -2, 3);
  CAPTURE(award);
  Harness h;
  h.add<Awarder>("awarder");
  h.load("awarder");
  h.load("karma");
  use_table(h);
  CHECK(ask(h) == "taken");
  CHECK((ask(h) == outside) == (award == -3));
  const auto nice = store::State(h.store, "karma").counted("nice 192.0.2.1/32", 60 * 24h);
  CHECK(nice.value_or(0) == (award == 3 ? 2 : 0));
  CHECK(h.end() == "");
}

TEST_CASE("karma: data is refused where the session has gone bad", "[plugins][karma]") {
  const int guesses = GENERATE(4, 5);
  CAPTURE(guesses);
  Harness h;
  h.load("karma");
  use_table(h);
  h.client.connect();
  REQUIRE(h.client.greeting().code == 220);
  for (int i = 0; i < guesses; ++i)
    REQUIRE(h.client.recipient("guess" + std::to_string(i) + "@t.example").code == 550);
  REQUIRE(h.client.recipient("x@t.example").code == 250);
  const std::string heard = in_one_line(h.client.message());
  CHECK(heard == (guesses == 4 ? "250 2.0.0 queued as 1" : "554 5.7.1 very bad karma: -5"));
  CHECK(h.end() == "");
}

TEST_CASE("karma: unknown clients have few recipients, where that is wanted", "[plugins][karma]") {
  Harness h;
  h.load("karma", "recipients = 1");
  h.load("rcpt_ok", "recipients = [\"x@t.example\", \"y@t.example\"]");
  const auto second = [&] {
    h.client.connect();
    REQUIRE(h.client.greeting().code == 220);
    REQUIRE(h.client.recipient("x@t.example").code == 250);
    const std::string heard = in_one_line(h.client.recipient("y@t.example"));
    h.client.close();
    h.run_for(1s);
    return heard;
  };
  CHECK(second() == "550 5.7.1 too many recipients for karma 0 (h: 0)");
  CHECK(send(h, 2));
  CHECK(second().substr(0, 4) == "250 ");
  CHECK(h.end() == "");
}

TEST_CASE("karma: a confirmed name and a good past are worth a point each", "[plugins][karma]") {
  const bool named = GENERATE(true, false), good = GENERATE(true, false);
  CAPTURE(named, good);
  Harness h;
  if (named) {
    h.dns.add_ptr("192.0.2.1", "mail.b.example");
    h.dns.add_a("mail.b.example", "192.0.2.1");
  }
  h.load("fcrdns", "require = \"nothing\"");
  h.load("karma", "reject_below = 0");
  use_table(h);
  REQUIRE(store::State(h.store, "karma")
              .count("nice 192.0.2.1/32", 60 * 24h, good ? 11 : 10)
              .has_value());
  h.client.connect();
  REQUIRE(h.client.greeting().code == 220);
  for (int i = 0; i < 2; ++i)
    REQUIRE(h.client.recipient("guess" + std::to_string(i) + "@t.example").code == 550);
  REQUIRE(h.client.recipient("x@t.example").code == 250);
  CHECK((h.client.message().code == 250) == (named && good));
  CHECK(h.end() == "");
}

TEST_CASE("karma: clients that may relay are not judged", "[plugins][karma]") {
  Harness h;
  h.load("relay", "clients = [\"192.0.2.1\"]");
  h.load("karma");
  h.load("badrcptto", "list = [\"@t.example\"]");
  misbehave(h, 9);
  CHECK(h.store.updates() == 0);
  CHECK(h.end() == "");
}

TEST_CASE("karma: a store that fails is on_error's case", "[plugins][karma]") {
  const std::string on_error = GENERATE("", "on_error = \"defer\"");
  CAPTURE(on_error);
  Harness h;
  h.load("karma", on_error);
  use_table(h);
  h.store.fail_with(Errc::io);
  CHECK(ask(h) ==
        (on_error.empty() ? "taken" : "450 4.3.0 Temporary problem, please try again later"));
  CHECK(h.end() == "");
}
