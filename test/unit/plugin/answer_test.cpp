// Functions that answer: whose facts they see, and what becomes of those that throw.
#include <postern/plugin.hpp>
#include <postern/testing/harness.hpp>

#include <stdexcept>
#include <string>

#include "catch.hpp"

namespace postern::plugins {
namespace {

// Counts greetings, and tells how many there were.
class Counter final : public PluginOf<Counter> {
 public:
  void setup(Hooks& hooks) override {
    hooks.on_helo(this, &Counter::count);
    hooks.on_noop(this, &Counter::answer);
  }

 private:
  struct Greetings : Fact<> {
    int count = 0;
  };
  void count(Hello& hello) { ++hello.session().facts().mine<Greetings>().count; }
  std::optional<smtp::Reply> answer(Command& command) {
    const int count = command.session().facts().mine<Greetings>().count;
    if (count == 0) throw std::runtime_error("nobody has greeted");
    return smtp::Reply(250, {2, 0, 0}, std::to_string(count));
  }
};

}  // namespace
}  // namespace postern::plugins

using namespace postern;
using testing::Harness;

TEST_CASE("an answer sees the facts of its own instance", "[plugin][answer]") {
  Harness h;
  h.add<plugins::Counter>("counter");
  h.load("counter");
  h.client.connect();
  CHECK(h.client.greeting().code == 220);
  CHECK(h.client.command("EHLO c.example").code == 250);
  CHECK(h.client.command("EHLO c.example").code == 250);
  CHECK(h.client.command("NOOP").text() == "2.0.0 2");
  CHECK(h.end() == "");
}

TEST_CASE("an answer that throws is none, and is told", "[plugin][answer]") {
  Harness h;
  h.add<plugins::Counter>("counter");
  h.load("counter");
  h.client.connect();
  CHECK(h.client.greeting().code == 220);
  CHECK(h.client.command("NOOP").code == 250);
  REQUIRE_FALSE(h.log.lines.empty());
  CHECK(h.log.lines.at(0) == "error: counter at noop: nobody has greeted");
  CHECK(h.end() == "");
}
