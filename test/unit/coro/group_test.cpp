#include <postern/coro/deadline.hpp>
#include <postern/coro/event.hpp>
#include <postern/coro/group.hpp>
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

// Counts the frames in which it lives.
class Alive {
 public:
  explicit Alive(int& count) : count_(count) { ++count_; }
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;
  ~Alive() { --count_; }

 private:
  int& count_;
};

Task<int> after(Duration duration, int result, int& alive) {
  Alive here(alive);
  auto slept = co_await sleep(duration);
  if (!slept) co_return -result;
  co_return result;
}

Task<int> now(int result) { co_return result; }

Task<int> throws_after(Duration duration) {
  if (duration > 0s) co_await sleep(duration);
  throw std::runtime_error("child");
}

Task<Result<void>> join_all(Group<int>& group, std::vector<int>& results) {
  auto keep = [&](int result) { results.push_back(result); };
  auto outcome = co_await group.each(keep);
  co_return outcome;
}

Task<Result<void>> join_within(Group<int>& group, std::vector<int>& results, Duration limit) {
  auto outcome = co_await within(limit, join_all(group, results));
  co_return outcome;
}

}  // namespace

TEST_CASE("Group: gives the results in the order in which the children finish", "[coro][group]") {
  SimScheduler sim;
  int alive = 0;
  Group<int> group;
  group.add(after(3s, 3, alive));
  group.add(after(1s, 1, alive));
  group.add(now(0));
  group.add(after(2s, 2, alive));
  CHECK(alive == 0);  // add() starts nothing
  std::vector<int> results;
  CHECK(sim.run(join_all(group, results)));
  CHECK(results == std::vector<int>{0, 1, 2, 3});
  CHECK(sim.elapsed() == 3s);
  CHECK(alive == 0);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Group: an empty one is joined at once", "[coro][group]") {
  SimScheduler sim;
  Group<int> group;
  std::vector<int> results;
  CHECK(sim.run(join_all(group, results)));
  CHECK(results.empty());
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Group: what was never started leaves nothing", "[coro][group]") {
  int alive = 0;
  {
    Group<int> group;
    group.add(after(1s, 1, alive));
    CHECK(live_frames() == 1);
  }
  CHECK(live_frames() == 0);
}

TEST_CASE("Group: a child that throws stops the others, which are joined first", "[coro][group]") {
  SimScheduler sim;
  int alive = 0;
  Group<int> group;
  std::vector<int> results;
  SECTION("while they wait") {
    group.add(after(1h, 1, alive));
    group.add(throws_after(2s));
    group.add(after(1s, 2, alive));
    CHECK_THROWS_WITH(sim.run(join_all(group, results)), "child");
    CHECK(results == std::vector<int>{2, -1});
    CHECK(sim.elapsed() == 2s);
  }
  SECTION("at its start: what follows never begins") {
    group.add(after(1h, 1, alive));
    group.add(throws_after(0s));
    group.add(now(7));
    CHECK_THROWS_WITH(sim.run(join_all(group, results)), "child");
    CHECK(results == std::vector<int>{-1});
    CHECK(sim.elapsed() == 0s);
  }
  SECTION("two of them: the first is told") {
    group.add(throws_after(1s));
    group.add(throws_after(1s));
    CHECK_THROWS_WITH(sim.run(join_all(group, results)), "child");
  }
  CHECK(alive == 0);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Group: when the one who keeps throws, the others are stopped and joined",
          "[coro][group]") {
  SimScheduler sim;
  int alive = 0;
  struct Keeper {
    static Task<void> join(Group<int>& group, int& kept) {
      auto keep = [&](int) {
        if (++kept == 1) throw std::logic_error("keeper");
      };
      co_await group.each(keep);
    }
  };
  Group<int> group;
  group.add(after(1h, 1, alive));
  group.add(after(1s, 2, alive));
  int kept = 0;
  CHECK_THROWS_WITH(sim.run(Keeper::join(group, kept)), "keeper");
  CHECK(kept == 2);
  CHECK(sim.elapsed() == 1s);
  CHECK(alive == 0);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Group: a stop of the caller returns when every frame is gone", "[coro][group]") {
  SimScheduler sim;
  int alive = 0;
  Group<int> group;
  group.add(after(1h, 1, alive));
  group.add(after(2h, 2, alive));
  std::vector<int> results;
  Scope scope(sim, "session");
  Outcome<Result<void>> joined;
  scope.start(keep(join_all(group, results), joined));
  CHECK(alive == 2);
  scope.stop(Errc::cancelled);
  CHECK(alive == 2);
  sim.run(join(scope));
  CHECK(joined.is(Errc::cancelled));
  CHECK(results == std::vector<int>{-1, -2});
  CHECK(alive == 0);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Group: a limit keeps what came in time", "[coro][group]") {
  SimScheduler sim;
  int alive = 0;
  Group<int> group;
  group.add(after(1s, 1, alive));
  group.add(after(1h, 2, alive));
  std::vector<int> results;
  const auto joined = sim.run(join_within(group, results, 10s));
  REQUIRE_FALSE(joined);
  CHECK(joined.error().code == Errc::timed_out);
  CHECK(results == std::vector<int>{1, -2});
  CHECK(sim.elapsed() == 10s);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Group: can be filled and joined again", "[coro][group]") {
  SimScheduler sim;
  int alive = 0;
  Group<int> group;
  std::vector<int> results;
  for (int round = 1; round <= 3; ++round) {
    group.add(after(1s, round, alive));
    CHECK(sim.run(join_all(group, results)));
  }
  CHECK(results == std::vector<int>{1, 2, 3});
  CHECK(sim.live_tasks() == 0);
}

namespace {

Task<void> add_after(Duration duration, int& done) {
  co_await sleep(duration);
  ++done;
}

Task<Result<void>> join_void(Group<void>& group) {
  auto joined = co_await group.join();
  co_return joined;
}

}  // namespace

TEST_CASE("Group: children without a result are joined too", "[coro][group]") {
  SimScheduler sim(1);
  Group<void> group;
  int done = 0;
  group.add(add_after(0s, done));
  group.add(add_after(2s, done));
  CHECK(sim.run(join_void(group)));
  CHECK(done == 2);
  CHECK(sim.elapsed() == 2s);
  CHECK(sim.live_tasks() == 0);
}
