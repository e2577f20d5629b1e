#include <postern/coro/deadline.hpp>
#include <postern/coro/event.hpp>
#include <postern/coro/scope.hpp>
#include <postern/coro/sleep.hpp>
#include <postern/testing/sim_scheduler.hpp>

#include <stdexcept>

#include "catch.hpp"
#include "outcome.hpp"

using namespace postern;
using namespace postern::coro;
using namespace postern::testing;
using namespace std::chrono_literals;

namespace {

Task<void> linger(Duration duration, int& alive) {
  ++alive;
  co_await sleep(duration);
  --alive;
}

Task<void> unwinds_slowly(Duration duration) {
  co_await sleep(1h);
  struct Shielded {
    static Task<void> sleep_on(Duration rest) { co_await sleep(rest); }
  };
  co_await shielded(forever, Shielded::sleep_on(duration));
}

Task<void> throws_after(Duration duration) {
  if (duration > 0s) co_await sleep(duration);
  throw std::runtime_error("child");
}

Task<void> starts_another(Scope& scope, int& alive) {
  co_await sleep(1s);
  scope.start(linger(1s, alive));
}

}  // namespace

TEST_CASE("Scope: join returns when every task is gone", "[coro][scope]") {
  SimScheduler sim;
  int alive = 0;
  Scope scope(sim, "session");
  scope.start(linger(2s, alive));
  scope.start(linger(5s, alive));
  CHECK(alive == 2);
  CHECK(scope.running() == 2);
  sim.run(join(scope));
  CHECK(alive == 0);
  CHECK(sim.elapsed() == 5s);
  CHECK(scope.running() == 0);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Scope: a stop does not shorten the join, it shortens the tasks", "[coro][scope]") {
  SimScheduler sim;
  Scope scope(sim, "session");
  scope.start(unwinds_slowly(7s));
  scope.stop(Errc::cancelled);
  sim.run(join(scope));
  CHECK(sim.elapsed() == 7s);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Scope: join is not ended by a stop of the one who joins", "[coro][scope]") {
  SimScheduler sim;
  int alive = 0;
  Scope children(sim, "children");
  children.start(linger(5s, alive));
  Scope parent(sim, "parent");
  parent.start(join(children));
  parent.stop(Errc::cancelled);
  sim.run_for(1s);
  CHECK(parent.running() == 1);
  sim.run(join(parent));
  CHECK(sim.elapsed() == 5s);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Scope: what a task throws comes out of join, once, when all are gone", "[coro][scope]") {
  SimScheduler sim;
  int alive = 0;
  Scope scope(sim, "session");
  scope.start(throws_after(0s));  // inside start(), which does not throw
  scope.start(throws_after(1s));
  scope.start(linger(2s, alive));
  CHECK_THROWS_WITH(sim.run(join(scope)), "child");
  CHECK(sim.elapsed() == 2s);
  CHECK_NOTHROW(sim.run(join(scope)));
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Scope: a task may start another beside it", "[coro][scope]") {
  SimScheduler sim;
  int alive = 0;
  Scope scope(sim, "session");
  scope.start(starts_another(scope, alive));
  sim.run(join(scope));
  CHECK(sim.elapsed() == 2s);
  CHECK(alive == 0);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Task: an exception passes through every frame and leaves none", "[coro][task]") {
  struct Chain {
    static Task<int> deep(int levels) {
      if (levels == 0) {
        co_await sleep(1s);
        throw std::runtime_error("bottom");
      }
      int below = co_await deep(levels - 1);
      co_return below + 1;
    }
  };
  SimScheduler sim;
  CHECK_THROWS_WITH(sim.run(Chain::deep(100)), "bottom");
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Task: one that is never awaited never runs and leaves nothing", "[coro][task]") {
  int alive = 0;
  { Task<void> task = linger(1s, alive); }
  CHECK(alive == 0);
  CHECK(live_frames() == 0);
}
