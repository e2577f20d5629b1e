// Hook points that plugins own, services, and tasks one at a time.
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

struct Candidate {
  std::string address;
};

// Asks whoever is attached, at rcpt.
class Owner final : public PluginOf<Owner> {
 public:
  void setup(Hooks& hooks) override {
    hooks.own(point_);
    hooks.on_rcpt(this, &Owner::decide);
  }

 private:
  Task<Verdict> decide(Recipient& to) {
    Candidate candidate;
    candidate.address = to.key();
    Verdict verdict = co_await point_.ask(services(), candidate);
    co_return verdict;
  }
  HookPoint<Candidate> point_{"owner.candidate"};
};

class Attached final : public PluginOf<Attached> {
 public:
  void setup(Hooks& hooks) override {
    hooks.attach("owner.candidate", this, &Attached::decide);
    hooks.attach("owner.candidate", this, &Attached::think);
  }

 private:
  Verdict decide(Candidate& candidate) {
    if (candidate.address == "throw@example.net") throw std::runtime_error("thrown");
    return Verdict::next();
  }
  Task<Verdict> think(Candidate& candidate) {
    auto slept = co_await coro::sleep(50ms);
    if (slept && candidate.address == "bad@example.net")
      co_return Verdict::reject({5, 7, 1}, "attached");
    co_return Verdict::next();
  }
};

int at_once = 0, most_at_once = 0;

// Its two tasks of a session take turns.
class Serial final : public PluginOf<Serial> {
 public:
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &Serial::work).serial();
    hooks.on_connect(this, &Serial::work).serial();
  }

 private:
  Task<void> work(Session&) {
    most_at_once = std::max(most_at_once, ++at_once);
    auto slept = co_await coro::sleep(100ms);
    --at_once;
    if (!slept) co_return;
  }
};

// Listens for early input, and lets the dialogue go on meanwhile.
class Listener final : public PluginOf<Listener> {
 public:
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &Listener::listen);
    hooks.on_connect(this, &Listener::listen);
  }

 private:
  Task<void> listen(Session& session) {
    const bool spoke = co_await session.early_input(3s);
    if (spoke) session.slow_down(1ms);
  }
};

}  // namespace
}  // namespace postern::plugins

TEST_CASE("a plugin's own hook: the attached decide, and what they throw is the owner's failure",
          "[plugin][hook_point]") {
  Harness h;
  h.add<plugins::Owner>("owner");
  h.add<plugins::Attached>("attached");
  h.load("attached");
  h.load("owner");
  h.client.connect();
  h.client.greeting();
  CHECK(h.client.recipient("good@example.net").code == 250);
  CHECK(h.client.recipient("bad@example.net").text() == "5.7.1 attached");
  CHECK(h.client.recipient("throw@example.net").code == 450);
  CHECK(h.end() == "");
  CHECK(contains(test::all_records(h), "thrown"));
}

TEST_CASE("a hook that nobody owns is told before anything runs", "[plugin][hook_point]") {
  Harness h;
  h.add<plugins::Attached>("attached");
  h.load("attached");
  const auto problems = h.problems();
  REQUIRE(problems.size() == 2);
  CHECK(contains(problems.front(), "attaches to the hook owner.candidate"));
  CHECK(h.end() == "");
}

TEST_CASE("serial: the tasks of an instance in one session take turns", "[plugin][serial]") {
  plugins::at_once = plugins::most_at_once = 0;
  Harness h;
  h.add<plugins::Serial>("serial");
  h.load("serial");
  h.client.connect();
  h.client.greeting();
  h.run_for(1s);
  CHECK(plugins::most_at_once == 1);
  std::vector<std::unique_ptr<testing::HarnessClient>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<testing::HarnessClient>(h));
    clients.back()->connect();
  }
  h.run_for(1s);
  CHECK(plugins::most_at_once == 5);
  clients.clear();
  CHECK(h.end() == "");
}

TEST_CASE("plugins that listen for early input take nothing from the dialogue", "[plugin][early]") {
  Harness h;
  h.add<plugins::Listener>("listener");
  h.load("listener");
  h.client.connect();
  CHECK(h.client.greeting().code == 220);
  CHECK(h.client.recipient("x@example.net").code == 250);
  h.run_for(10s);
  CHECK(h.client.message().code == 250);
  CHECK(h.sim.elapsed() < 11s);
  CHECK(h.end() == "");
}
