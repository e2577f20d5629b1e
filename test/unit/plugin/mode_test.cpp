// The common keys: mode × hook × stage of effect, each cell's reply and record.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

#include "catch.hpp"
#include "fake.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::contains;
using test::whole_dialogue;
using testing::Harness;

namespace {

const std::string stages[] = {"connect", "helo", "mail", "rcpt", "data", "message"};

std::size_t rank(const std::string& stage) {
  return static_cast<std::size_t>(std::find(std::begin(stages), std::end(stages), stage) -
                                  std::begin(stages));
}

int rejected(const std::string& stage) { return stage == "connect" || stage == "data" ? 554 : 550; }

int deferred(const std::string& stage) {
  if (stage == "connect") return 421;
  return stage == "data" || stage == "message" ? 451 : 450;
}

// What each mode makes of each verdict.
struct Cell {
  std::string stage;  // where the client hears a refusal
  int code;
  std::string effect;  // in the record; empty: nothing is said
};

Cell expected(const std::string& mode, const std::string& at) {
  if (mode == "on") return {at, rejected(at), "refused"};
  if (mode == "defer") return {at, deferred(at), "refused"};
  if (mode == "observe") return {"nowhere", 250, "would have refused"};
  if (mode == "tag") return {"nowhere", 250, "tagged"};
  if (mode == "off") return {"nowhere", 250, ""};
  // The ledger is judged as soon as the recipient is known.
  const std::string judged = stages[std::max(rank(at), rank("rcpt"))];
  return {judged, rejected(judged), "scored"};
}

}  // namespace

TEST_CASE("modes: each at each hook, taking effect at each stage", "[plugin][modes]") {
  const std::string kind = GENERATE("fake", "thinker");
  const std::string hook =
      GENERATE("connect", "helo", "mail", "rcpt", "data", "headers", "message");
  const std::string mode = GENERATE("on", "off", "observe", "tag", "score", "defer");
  const std::string enforced = GENERATE("now", "helo", "mail", "rcpt", "data", "message");
  const std::string own = hook == "headers" ? "message" : hook;
  if (enforced != "now" && rank(enforced) < rank(own)) return;
  const std::string at = enforced == "now" ? own : enforced;
  CAPTURE(kind, hook, mode, enforced);

  Harness h;
  h.add<plugins::Fake>("fake");
  h.add<plugins::Thinker>("thinker");
  h.configure("[score]\nreject_at = 1");
  h.load(kind, fmt::format("at = \"{}\"\nmode = \"{}\"\nenforce_at = \"{}\"\nwait = \"20ms\"", hook,
                           mode, enforced));
  const test::Heard heard = whole_dialogue(h);
  const Cell wanted = expected(mode, at);
  CHECK(heard.stage == wanted.stage);
  CHECK(heard.code == wanted.code);
  h.client.close();
  CHECK(h.end() == "");

  const std::string records = test::all_records(h);
  CAPTURE(records);
  if (wanted.effect.empty())
    CHECK_FALSE(contains(records, "\"plugin\":\"" + kind));
  else
    CHECK(contains(records, fmt::format("\"plugin\":\"{}\",\"hook\":\"{}\"", kind, hook)));
  CHECK(contains(records, "\"effect\":\"" + wanted.effect + "\"") == !wanted.effect.empty());
  const bool tagged = !h.downstream.ledger().empty() &&
                      contains(h.downstream.ledger().front().content, "X-Postern-Tag: " + kind);
  CHECK(tagged == (mode == "tag"));
}

TEST_CASE("a verdict that is late, fails or makes no sense is what on_error says",
          "[plugin][on_error]") {
  struct Row {
    const char* kind;
    const char* act;
    const char* on_error;
    int code;
  };
  const auto row = GENERATE(values<Row>({
      {"fake", "fail", "next", 250},
      {"fake", "fail", "defer", 450},
      {"fake", "fail", "reject", 550},
      {"fake", "raise", "defer", 450},
      {"fake", "raise", "next", 250},
      {"fake", "nonsense", "reject", 550},
      {"fake", "flood", "defer", 450},
      {"fake", "hold", "defer", 450},
      {"fake", "drop", "defer", 450},
      {"thinker", "raise", "reject", 550},
      {"thinker", "fail", "defer", 450},
      {"thinker", "flood", "next", 250},
  }));
  CAPTURE(row.kind, row.act, row.on_error);
  Harness h;
  h.add<plugins::Fake>("fake");
  h.add<plugins::Thinker>("thinker");
  h.load(row.kind,
         fmt::format("at = \"rcpt\"\nact = \"{}\"\non_error = \"{}\"", row.act, row.on_error));
  const test::Heard heard = whole_dialogue(h);
  CHECK(heard.code == row.code);
  CHECK(heard.stage == (row.code == 250 ? "nowhere" : "rcpt"));
  CHECK(h.end() == "");
  CHECK(contains(test::all_records(h), fmt::format("\"plugin\":\"{}\"", row.kind)));
}

TEST_CASE("a decision that never comes is over after its timeout", "[plugin][on_error]") {
  Harness h;
  h.add<plugins::Thinker>("thinker");
  h.load("thinker", "at = \"mail\"\nwait = \"1h\"\ntimeout = \"2s\"");
  const test::Heard heard = whole_dialogue(h);
  CHECK(heard.stage == "mail");
  CHECK(heard.code == 450);
  CHECK(h.sim.elapsed() >= std::chrono::seconds(2));
  CHECK(h.sim.elapsed() < std::chrono::seconds(3));
  CHECK(h.end() == "");
  CHECK(contains(test::all_records(h), "timed_out"));
}

TEST_CASE("accept answers and never silences: a refusal behind it still refuses",
          "[plugin][rcpt]") {
  Harness h;
  h.add<plugins::Fake>("fake");
  h.load("fake", "name = \"fake:yes\"\nat = \"rcpt\"\nact = \"accept\"");
  h.load("fake", "name = \"fake:no\"\nat = \"rcpt\"\nact = \"reject\"");
  CHECK(whole_dialogue(h).code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("an instance that only observes accepts nobody", "[plugin][rcpt]") {
  const bool observes = GENERATE(true, false);
  Harness h;
  h.add<plugins::Fake>("fake");
  h.load("fake", fmt::format("at = \"rcpt\"\nact = \"accept\"\nmode = \"{}\"",
                             observes ? "observe" : "on"));
  const test::Heard heard = whole_dialogue(h, "x@elsewhere.example");
  CHECK(heard.code == (observes ? 550 : 250));
  CHECK(h.end() == "");
}

TEST_CASE("a postmaster of our domains is refused by nothing at rcpt", "[plugin][rcpt]") {
  Harness h;
  h.add<plugins::Fake>("fake");
  h.load("fake", "at = \"rcpt\"");
  CHECK(whole_dialogue(h, "Postmaster@example.net").code == 250);
  CHECK(whole_dialogue(h, "postmaster@elsewhere.example").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("exempt: stops refusals of whoever it names, and nothing else", "[plugin][exempt]") {
  struct Row {
    const char* exempt;
    int code;
  };
  const auto row = GENERATE(values<Row>({
      {"clients = [\"192.0.2.0/24\"]", 250},
      {"clients = [\"198.51.100.0/24\"]", 550},
      {"helo = [\"client.example\"]", 250},
      {"helo = [\"other.example\"]", 550},
      {"senders = [\"a@b.example\"]", 250},
      {"senders = [\"@b.example\"]", 250},
      {"senders = [\"c@b.example\"]", 550},
      {"recipients = [\"x@example.net\"]", 250},
      {"recipients = [\"y@example.net\"]", 550},
      {"passed = [\"fake:friend\"]", 250},
      {"relay = true", 550},
      {"authenticated = true", 550},
  }));
  CAPTURE(row.exempt);
  Harness h;
  h.add<plugins::Fake>("fake");
  h.load("fake", "name = \"fake:friend\"\nat = \"mail\"\nact = \"vouch\"");
  h.load("fake",
         fmt::format("at = \"connect\"\nenforce_at = \"rcpt\"\nexempt = {{ {} }}", row.exempt));
  CHECK(whole_dialogue(h).code == row.code);
  CHECK(h.end() == "");
  CHECK(contains(test::all_records(h), "\"effect\":\"exempt\"") == (row.code == 250));
}

TEST_CASE("a forged sender on an exempt list opens no relay", "[plugin][exempt]") {
  Harness h;
  h.add<plugins::Fake>("fake");
  h.load("fake", "at = \"mail\"\nenforce_at = \"mail\"\nexempt = { senders = [\"a@b.example\"] }");
  const test::Heard heard = whole_dialogue(h, "victim@elsewhere.example");
  CHECK(heard.stage == "rcpt");
  CHECK(heard.code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("two recipients of one transaction have their own settings", "[plugin][domains]") {
  Harness h;
  h.recipients.add_domain("strict.example");
  h.add<plugins::Fake>("fake");
  h.load("fake", "at = \"connect\"\nenforce_at = \"rcpt\"\nmode = \"off\"");
  h.domain("strict.example",
           "[plugin.fake]\nmode = \"on\"\n"
           "[recipient.\"boss@strict.example\".plugin.fake]\nmode = \"observe\"\n");
  h.client.connect();
  h.client.greeting();
  CHECK(h.client.recipient("a@example.net").code == 250);
  CHECK(h.client.recipient("a@strict.example").code == 550);
  CHECK(h.client.recipient("boss@strict.example").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("the reply template says what and where to look", "[plugin][reply]") {
  Harness h;
  h.add<plugins::Fake>("fake");
  h.load("fake",
         "at = \"rcpt\"\nreply = \"{reason}: {client} {helo} {sender} {recipient} {instance} "
         "({id})\"");
  CHECK(whole_dialogue(h).text ==
        "5.7.1 no: 192.0.2.1 client.example a@b.example x@example.net fake (s1.1)");
  CHECK(h.end() == "");
}

TEST_CASE("slow_down delays the next reply only", "[plugin][delay]") {
  Harness h;
  h.add<plugins::Fake>("fake");
  h.load("fake", "at = \"mail\"\nact = \"next\"\nslow = \"7s\"");
  h.client.connect();
  h.client.greeting();
  h.client.command("EHLO client.example");
  CHECK(h.sim.elapsed() < std::chrono::seconds(1));
  CHECK(h.client.command("MAIL FROM:<a@b.example>").code == 250);
  CHECK(h.sim.elapsed() >= std::chrono::seconds(7));
  CHECK(h.client.command("RCPT TO:<x@example.net>").code == 250);
  CHECK(h.sim.elapsed() < std::chrono::seconds(8));
  CHECK(h.end() == "");
}
