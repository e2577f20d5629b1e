// Findings: made once, beside the dialogue; judged where they take effect; facts with needs.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "fake.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::contains;
using test::whole_dialogue;
using testing::Harness;

namespace postern::plugins {
namespace {

int started = 0;  // findings of the test at hand
int most_at_once = 0;
int at_once = 0;

struct Found : Fact<"test.found", 1> {
  std::size_t number = 0;
  void record(Fields& out) const { out.add("number", number); }
};

struct FinderSettings {
  std::chrono::milliseconds wait{300};
  std::size_t threshold = 1;
  bool fails = false;
  static void describe(policy::Schema<FinderSettings>& schema) {
    schema.key("wait", &FinderSettings::wait, "how long it looks");
    schema.key("threshold", &FinderSettings::threshold, "from where it refuses").per_domain();
    schema.key("fails", &FinderSettings::fails, "whether it does");
  }
};

template <typename P>
class FinderOf : public PluginOf<P> {
 public:
  using Settings = FinderSettings;
  static void describe(policy::Schema<Settings>& schema) { Settings::describe(schema); }

 protected:
  Task<Result<Found>> look(Session& session) {
    ++started;
    most_at_once = std::max(most_at_once, ++at_once);
    const FinderSettings& here = this->settings(session);
    const bool fails = here.fails;
    auto slept = co_await coro::sleep(here.wait);
    --at_once;
    if (!slept) co_return fail(slept.error());
    if (fails) co_return fail(Errc::servfail);
    Found found;
    found.number = 1;
    co_return found;
  }
  Verdict judge(const Found& found, const FinderSettings& settings) const {
    if (found.number < settings.threshold) return Verdict::next();
    return Verdict::reject({5, 7, 1}, "found");
  }
};

class Finder final : public FinderOf<Finder> {
 public:
  void setup(Hooks& hooks) override { hooks.on_connect(this, &Finder::look).judge(&Finder::judge); }
};

class Holder final : public FinderOf<Holder> {
 public:
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &Holder::look).judge(&Holder::judge).holds();
  }
};

// Looks only when somebody asks.
class Lazy final : public FinderOf<Lazy> {
 public:
  void setup(Hooks& hooks) override { hooks.on_connect(this, &Lazy::look).on_demand(); }
};

// Asks, at rcpt.
class Asker final : public PluginOf<Asker> {
 public:
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &Asker::decide).wants<Found>(); }

 private:
  Task<Verdict> decide(Recipient& to) {
    const Found* found = co_await to.facts().await<Found>();
    if (!found) co_return Verdict::defer({4, 0, 0}, "nothing found");
    co_return Verdict::reject({5, 0, 0}, "asked and found");
  }
};

// Asks without having said so.
class Rude final : public PluginOf<Rude> {
 public:
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &Rude::decide); }

 private:
  Task<Verdict> decide(Recipient& to) {
    const Found* found = co_await to.facts().await<Found>();
    co_return found ? Verdict::next() : Verdict::next();
  }
};

class Needy final : public PluginOf<Needy> {
 public:
  void setup(Hooks& hooks) override { hooks.on_mail(this, &Needy::decide).needs<Found>(); }

 private:
  Task<Verdict> decide(Transaction& tx) {
    const Found* found = co_await tx.facts().await<Found>();
    if (!found) co_return Verdict::failed(Errc::not_found);
    co_return Verdict::next();
  }
};

}  // namespace
}  // namespace postern::plugins

namespace {

void add_finders(Harness& h) {
  plugins::started = plugins::at_once = plugins::most_at_once = 0;
  h.add<plugins::Finder>("finder");
  h.add<plugins::Holder>("holder");
  h.add<plugins::Lazy>("lazy");
  h.add<plugins::Asker>("asker");
  h.add<plugins::Rude>("rude");
  h.add<plugins::Needy>("needy");
}

}  // namespace

TEST_CASE("a finding at connect, enforced at rcpt, costs no time before rcpt",
          "[plugin][finding]") {
  Harness h;
  add_finders(h);
  for (int i = 0; i < 4; ++i)
    h.load("finder", fmt::format("name = \"finder:n{}\"\nenforce_at = \"rcpt\"\nthreshold = {}", i,
                                 i == 3 ? 1 : 2));
  h.client.connect();
  CHECK(h.client.greeting().code == 220);
  CHECK(h.client.command("EHLO client.example").code == 250);
  CHECK(h.client.command("MAIL FROM:<a@b.example>").code == 250);
  CHECK(h.sim.elapsed() < 50ms);
  CHECK(h.client.command("RCPT TO:<x@example.net>").code == 550);
  CHECK(h.sim.elapsed() >= 300ms);
  CHECK(h.sim.elapsed() < 350ms);
  CHECK(plugins::started == 4);
  CHECK(h.end() == "");
  CHECK(
      contains(test::all_records(h), "\"fact\":\"test.found\",\"by\":\"finder:n0\",\"number\":1"));
}

TEST_CASE("a finding is made once, and judged with each recipient's settings",
          "[plugin][finding]") {
  Harness h;
  add_finders(h);
  h.recipients.add_domain("lenient.example");
  h.recipients.add_domain("off.example");
  h.load("finder", "enforce_at = \"rcpt\"");
  h.domain("lenient.example", "[plugin.finder]\nthreshold = 2\n");
  h.domain("off.example", "[plugin.finder]\nmode = \"off\"\n");
  h.client.connect();
  h.client.greeting();
  CHECK(h.client.recipient("a@lenient.example").code == 250);
  CHECK(h.client.recipient("a@example.net").code == 550);
  CHECK(h.client.recipient("a@off.example").code == 250);
  CHECK(plugins::started == 1);
  CHECK(h.end() == "");
}

TEST_CASE("settings of a recipient count for what took effect before he was known",
          "[plugin][finding]") {
  Harness h;
  add_finders(h);
  h.recipients.add_domain("strict.example");
  h.load("finder", "threshold = 2");  // at connect, where it says nothing
  h.domain("strict.example", "[plugin.finder]\nthreshold = 1\n");
  h.client.connect();
  CHECK(h.client.greeting().code == 220);
  CHECK(h.client.recipient("a@example.net").code == 250);
  CHECK(h.client.recipient("a@strict.example").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("a hang-up stops findings at once", "[plugin][finding]") {
  Harness h;
  add_finders(h);
  h.load("finder", "wait = \"50m\"\ntimeout = \"1h\"\nenforce_at = \"rcpt\"");
  h.client.connect();
  h.client.greeting();
  h.client.close();
  h.run_for(10ms);
  CHECK(plugins::at_once == 0);
  CHECK(h.running() == 0);
  CHECK(h.live_tasks() == 0);
  CHECK(h.end() == "");
}

TEST_CASE("a hundred clients wait together", "[plugin][finding]") {
  Harness h;
  add_finders(h);
  h.load("finder", "enforce_at = \"rcpt\"");
  std::vector<std::unique_ptr<testing::HarnessClient>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<testing::HarnessClient>(h));
    clients.back()->connect();
    clients.back()->send(
        "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\n");
  }
  h.run_for(400ms);
  for (auto& client : clients) {
    CHECK(client->reply().code == 220);
    CHECK(client->reply().code == 250);
    CHECK(client->reply().code == 250);
    CHECK(client->reply().code == 550);
  }
  CHECK(h.sim.elapsed() < 450ms);
  CHECK(plugins::most_at_once == 100);
  clients.clear();
  CHECK(h.end() == "");
}

TEST_CASE("parallel: no more tasks of an instance than it says", "[plugin][parallel]") {
  Harness h;
  add_finders(h);
  h.load("finder", "enforce_at = \"rcpt\"\nparallel = 3");
  std::vector<std::unique_ptr<testing::HarnessClient>> clients;
  for (int i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<testing::HarnessClient>(h));
    clients.back()->connect();
  }
  h.run_for(10ms);
  CHECK(plugins::at_once == 3);
  clients[5]->close();  // it waits for its turn, which never comes
  h.run_for(2s);
  CHECK(plugins::most_at_once == 3);
  CHECK(plugins::started == 11);
  clients.clear();
  CHECK(h.end() == "");
}

TEST_CASE("holds: the step waits for the work, whenever it takes effect", "[plugin][finding]") {
  Harness h;
  add_finders(h);
  h.load("holder", "enforce_at = \"rcpt\"");
  h.client.connect();
  CHECK(h.client.greeting().code == 220);
  CHECK(h.sim.elapsed() >= 300ms);
  CHECK(h.client.recipient("x@example.net").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("on demand: a finding that nobody awaits is never made", "[plugin][facts]") {
  const bool asked = GENERATE(true, false);
  Harness h;
  add_finders(h);
  h.load("lazy");
  if (asked) h.load("asker");
  const test::Heard heard = whole_dialogue(h);
  CHECK(plugins::started == (asked ? 1 : 0));
  CHECK(heard.code == (asked ? 550 : 250));
  CHECK(h.end() == "");
}

TEST_CASE("await: nothing comes as soon as nobody can put it any more", "[plugin][facts]") {
  Harness h;
  add_finders(h);
  SECTION("nobody makes it") {
    h.load("asker");
    CHECK(whole_dialogue(h).code == 450);
  }
  SECTION("its maker fails") {
    h.load("finder", "fails = true\non_error = \"next\"\nenforce_at = \"rcpt\"");
    h.load("asker");
    CHECK(whole_dialogue(h).code == 450);
    CHECK(h.sim.elapsed() >= 300ms);
  }
  SECTION("its maker is late") {
    h.load("finder", "wait = \"1h\"\ntimeout = \"1s\"\non_error = \"next\"\nenforce_at = \"rcpt\"");
    h.load("asker", "timeout = \"1m\"");
    CHECK(whole_dialogue(h).code == 450);
    CHECK(h.sim.elapsed() >= 1s);
    CHECK(h.sim.elapsed() < 2s);
  }
  SECTION("it is there") {
    h.load("finder", "threshold = 2");
    h.load("asker");
    CHECK(whole_dialogue(h).code == 550);
  }
  CHECK(h.end() == "");
}

TEST_CASE("await without a word of it in setup is a bug, and on_error's case", "[plugin][facts]") {
  Harness h;
  add_finders(h);
  h.load("rude");
  const test::Heard heard = whole_dialogue(h);
  CHECK(heard.stage == "rcpt");
  CHECK(heard.code == 450);
  CHECK(h.end() == "");
  CHECK(contains(test::all_records(h), "without needs<> or wants<>"));
}

TEST_CASE("a need without a maker is told before anything runs", "[plugin][facts]") {
  Harness h;
  add_finders(h);
  h.load("needy");
  const auto problems = h.problems();
  REQUIRE(problems.size() == 1);
  CHECK(contains(problems.front(), "needy needs the fact test.found"));
  CHECK(h.end() == "");
}
