#include <postern/coro/event.hpp>
#include <postern/coro/slots.hpp>
#include <postern/testing/sim_scheduler.hpp>

#include "catch.hpp"
#include "outcome.hpp"

using namespace postern;
using namespace postern::coro;
using namespace postern::testing;
using namespace std::chrono_literals;

namespace {

// Takes a place, says so, and keeps it until `done`.
Task<void> visit(Slots& slots, Event& done, std::string& order, char name) {
  auto slot = co_await slots.acquire();
  order += slot ? name : '!';
  co_await done.wait();
}

Task<Result<Slot>> take(Slots& slots, Duration limit) {
  auto slot = co_await slots.acquire(limit);
  co_return slot;
}

}  // namespace

TEST_CASE("Slots: places are handed out in the order in which tasks asked", "[coro][slots]") {
  SimScheduler sim;
  Slots slots(2);
  Event done;
  std::string order;
  Scope scope(sim, "visitors");
  for (char name : {'a', 'b', 'c', 'd'}) scope.start(visit(slots, done, order, name));
  CHECK(order == "ab");
  CHECK(slots.free() == 0);
  CHECK(slots.awaited());
  done.set();
  sim.run(join(scope));
  CHECK(order == "abcd");
  CHECK(slots.free() == 2);
  CHECK_FALSE(slots.awaited());
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Slots: nobody overtakes a place that was granted", "[coro][slots]") {
  SimScheduler sim;
  Slots slots(1);
  Event done;
  std::string order;
  Slot held = *sim.run(take(slots, forever));
  Scope scope(sim, "visitors");
  scope.start(visit(slots, done, order, 'a'));
  held.release();                               // granted to a, who has not run yet
  scope.start(visit(slots, done, order, 'b'));  // comes second
  CHECK(order.empty());
  sim.run_for(0s);
  CHECK(order == "a");
  done.set();
  sim.run(join(scope));
  CHECK(order == "ab");
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Slots: a limit ends the wait for a place", "[coro][slots]") {
  SimScheduler sim;
  Slots slots(1);
  Slot held = *sim.run(take(slots, forever));
  const auto late = sim.run(take(slots, 3s));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::timed_out);
  CHECK(sim.elapsed() == 3s);
  CHECK_FALSE(slots.awaited());
  held.release();
  CHECK(slots.free() == 1);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Slot: is given back once, however it is moved", "[coro][slots]") {
  SimScheduler sim;
  Slots slots(2);
  Slot one = *sim.run(take(slots, forever));
  Slot two = *sim.run(take(slots, forever));
  CHECK(slots.free() == 0);
  one = std::move(two);
  CHECK(slots.free() == 1);
  CHECK(one);
  one.release();
  one.release();
  CHECK(slots.free() == 2);
  CHECK(sim.live_tasks() == 0);
}
