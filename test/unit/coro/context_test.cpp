#include <postern/coro/context.hpp>
#include <postern/coro/deadline.hpp>
#include <postern/coro/event.hpp>
#include <postern/coro/group.hpp>
#include <postern/coro/sleep.hpp>
#include <postern/testing/sim_scheduler.hpp>

#include <memory>
#include <string>

#include "catch.hpp"
#include "outcome.hpp"

using namespace postern;
using namespace postern::coro;
using namespace postern::testing;
using namespace std::chrono_literals;

namespace {

Task<Result<void>> wait_for(Event& event, Duration limit) {
  auto waited = co_await event.wait(limit);
  co_return waited;
}

Task<Result<void>> wait_within(Event& event, Duration limit) {
  auto waited = co_await within(limit, wait_for(event, forever));
  co_return waited;
}

Task<Result<void>> wait_within_both(Event& event, Duration outer, Duration inner) {
  auto waited = co_await within(outer, wait_within(event, inner));
  co_return waited;
}

Task<Result<void>> wait_shielded(Event& event, Duration limit) {
  auto waited = co_await shielded(limit, wait_for(event, forever));
  co_return waited;
}

Task<Result<void>> wait_shielded_within(Event& event, Duration outer, Duration shield) {
  auto waited = co_await within(outer, wait_shielded(event, shield));
  co_return waited;
}

Task<Result<void>> sleep_for(Duration duration) {
  auto slept = co_await sleep(duration);
  co_return slept;
}

Task<TimePoint> deadline_of_child() {
  Context* context = co_await current_context();
  co_return context->deadline();
}

Task<TimePoint> deadline_within(Duration outer, Duration inner) {
  auto wait_longer = co_await within(outer, deadline_of_child());
  (void)wait_longer;
  auto due = co_await within(inner, deadline_of_child());
  co_return due;
}

Task<TimePoint> deadline_within_both(Duration outer, Duration inner) {
  auto due = co_await within(outer, deadline_within(inner, inner));
  co_return due;
}

struct Finish final : Completion {
  void finished() noexcept override { done = true; }
  bool done = false;
};

}  // namespace

TEST_CASE("Context: the first reason to stop stays", "[coro][context]") {
  SimScheduler sim;
  Context context(sim, "session");
  CHECK_FALSE(context.stopped());
  context.stop(Errc::timed_out);
  context.stop(Errc::cancelled);
  CHECK(context.stopped());
  CHECK(context.why() == Errc::timed_out);
}

TEST_CASE("Context: its label is not told any more when it has gone", "[coro][context]") {
  SimScheduler scheduler;
  auto label = std::make_unique<std::string>("session 1");
  {
    Context context(scheduler, *label);
    scheduler.set_running(context.label());
    {
      const Context child(context);
      const Context shield(context, Context::Shielded{});
    }
    CHECK(scheduler.running() == "session 1");
  }
  label.reset();
  CHECK(scheduler.running().empty());
}

TEST_CASE("Context: a wait returns the reason of its stop", "[coro][context]") {
  const auto why = GENERATE(Errc::cancelled, Errc::timed_out);
  SimScheduler sim;
  Event never;
  Scope scope(sim, "session");
  Outcome<Result<void>> waited;
  scope.start(keep(wait_for(never, forever), waited));
  scope.stop(why);
  sim.run(join(scope));
  CHECK(waited.is(why));
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Context: a stop reaches what waits under every child", "[coro][context]") {
  SimScheduler sim;
  Event never;
  Scope session(sim, "session");
  Scope beside(session.context());
  Outcome<Result<void>> deep;
  Outcome<Result<void>> deeper;
  session.start(keep(wait_within_both(never, 1h, 2h), deep));
  beside.start(keep(wait_within(never, 3h), deeper));
  session.stop(Errc::cancelled);
  sim.run(join(session));
  sim.run(join(beside));
  CHECK(deep.is(Errc::cancelled));
  CHECK(deeper.is(Errc::cancelled));
  sim.run_until_idle();
  CHECK(sim.elapsed() == 0s);  // no timer of a limit is left
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Context: a stopped child leaves its parent and its siblings alone", "[coro][context]") {
  SimScheduler sim;
  Event event;
  Scope session(sim, "session");
  Scope child(session.context());
  Outcome<Result<void>> stopped;
  Outcome<Result<void>> sibling;
  child.start(keep(wait_for(event, forever), stopped));
  session.start(keep(wait_for(event, forever), sibling));
  child.stop(Errc::cancelled);
  sim.run(join(child));
  CHECK(stopped.is(Errc::cancelled));
  CHECK_FALSE(session.context().stopped());
  event.set();
  sim.run(join(session));
  CHECK(sibling.ok());
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("within: a child never gets more time than its parent has left", "[coro][deadline]") {
  SimScheduler sim;
  Event never;
  struct Row {
    Duration outer;
    Duration inner;
    Duration ends;
  };
  const auto row = GENERATE(values<Row>({
      {30s, 10s, 10s},
      {10s, 30s, 10s},
      {10s, 10s, 10s},
      {0s, 10s, 0s},
      {forever, 10s, 10s},
      {10s, forever, 10s},
  }));
  CAPTURE(row.outer.count(), row.inner.count());
  const auto waited = sim.run(wait_within_both(never, row.outer, row.inner));
  REQUIRE_FALSE(waited);
  CHECK(waited.error().code == Errc::timed_out);
  CHECK(sim.elapsed() == row.ends);
  const TimePoint start = sim.now();
  CHECK(sim.run(deadline_within_both(row.outer, row.inner)) ==
        start + std::min(row.outer, row.inner));
  sim.run_until_idle();
  CHECK(sim.elapsed() == row.ends);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("within: takes its timer back when the task is done before", "[coro][deadline]") {
  SimScheduler sim;
  Event event;
  Scope scope(sim, "session");
  Outcome<Result<void>> waited;
  scope.start(keep(wait_within(event, 1h), waited));
  sim.run_for(1min);
  event.set();
  sim.run(join(scope));
  CHECK(waited.ok());
  sim.run_until_idle();
  CHECK(sim.elapsed() == 1min);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("shielded: hears no stop, but ends at its own limit", "[coro][deadline]") {
  SimScheduler sim;
  Event answer;
  Scope session(sim, "session");
  Outcome<Result<void>> commit;

  SECTION("the answer comes after the stop") {
    session.start(keep(wait_shielded(answer, 10min), commit));
    session.stop(Errc::cancelled);
    sim.run_for(1min);
    CHECK_FALSE(commit.value);
    answer.set();
    sim.run(join(session));
    CHECK(commit.ok());
    CHECK(sim.elapsed() == 1min);
  }
  SECTION("no answer comes") {
    session.start(keep(wait_shielded(answer, 10min), commit));
    session.stop(Errc::cancelled);
    sim.run(join(session));
    CHECK(commit.is(Errc::timed_out));
    CHECK(sim.elapsed() == 10min);
  }
  SECTION("it begins after the stop") {
    session.stop(Errc::cancelled);
    session.start(keep(wait_shielded(answer, 10min), commit));
    CHECK(session.running() == 1);
    answer.set();
    sim.run(join(session));
    CHECK(commit.ok());
  }
  SECTION("the deadline above it passes") {
    session.start(keep(wait_shielded_within(answer, 1min, 10min), commit));
    sim.run(join(session));
    CHECK(commit.is(Errc::timed_out));
    CHECK(sim.elapsed() == 10min);
  }
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Sleep: lasts its time, or says who ended it", "[coro][sleep]") {
  SimScheduler sim;
  SECTION("nobody does") {
    CHECK(sim.run(sleep_for(90s)));
    CHECK(sim.elapsed() == 90s);
  }
  SECTION("no time at all is a later turn") {
    Scope scope(sim, "sleeper");
    Outcome<Result<void>> slept;
    scope.start(keep(sleep_for(0s), slept));
    CHECK_FALSE(slept.value);
    sim.run(join(scope));
    CHECK(slept.ok());
    CHECK(sim.elapsed() == 0s);
  }
  SECTION("a stop in the turn in which its time has come is too late") {
    Scope scope(sim, "sleeper");
    Outcome<Result<void>> slept;
    scope.start(keep(sleep_for(1s), slept));
    sim.run_turn();  // fires the timer, which posts
    REQUIRE(sim.elapsed() == 1s);
    REQUIRE_FALSE(slept.value);
    scope.stop(Errc::cancelled);
    sim.run(join(scope));
    CHECK(slept.ok());
  }
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Event: wakes all that wait, in order, in a later turn", "[coro][event]") {
  SimScheduler sim;
  Event event;
  std::string order;
  struct Note {
    static Task<void> when(Event& event, std::string& order, char name) {
      auto waited = co_await event.wait();
      order += waited ? name : '!';
    }
  };
  Scope scope(sim, "waiters");
  for (char name : {'a', 'b', 'c'}) scope.start(Note::when(event, order, name));
  event.set();
  CHECK(order.empty());
  event.reset();  // those who waited have had their event
  sim.run(join(scope));
  CHECK(order == "abc");

  event.set();
  scope.start(Note::when(event, order, 'd'));  // set already: no wait
  CHECK(order == "abcd");
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Event: a limit ends the wait and leaves the event usable", "[coro][event]") {
  SimScheduler sim;
  Event event;
  const auto waited = sim.run(wait_for(event, 5s));
  REQUIRE_FALSE(waited);
  CHECK(waited.error().code == Errc::timed_out);
  CHECK(sim.elapsed() == 5s);
  event.set();
  CHECK(sim.run(wait_for(event, 5s)));
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Scheduler: lists each wait with its session, shields included", "[coro][context]") {
  SimScheduler sim;
  Event event;
  Scope one(sim, "s1");
  Scope two(sim, "s2");
  one.start([](Event& e) -> Task<void> { co_await e.wait(); }(event));
  Outcome<Result<void>> slept;
  Outcome<Result<void>> commit;
  two.start(keep(sleep_for(1h), slept));
  two.start(keep(wait_shielded(event, forever), commit));
  CHECK(sim.waiting() == "s1: event\ns2: sleep\ns2: event\n");
  two.stop(Errc::cancelled);
  sim.run_for(0s);
  CHECK(sim.waiting() == "s1: event\ns2: event\n");
  CHECK_THROWS_WITH(sim.run_until_idle(), Catch::Contains("s1: event"));
  event.set();
  sim.run(join(one));
  sim.run(join(two));
  CHECK(sim.waiting().empty());
  CHECK(sim.live_tasks() == 0);
}
