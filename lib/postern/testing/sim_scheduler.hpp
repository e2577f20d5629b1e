// The scheduler of the simulation: virtual time, one seed, no loop and no waiting.
//
//   SimScheduler sim(seed);
//   auto reply = sim.run(ask(downstream));
//   CHECK(sim.elapsed() == 30s);
//   CHECK(sim.live_tasks() == 0);
#pragma once

#include <postern/coro/task.hpp>
#include <postern/testing/random.hpp>

#include <stdexcept>

namespace postern::testing {

using coro::Duration;
using coro::TimePoint;

// Tasks wait, and nothing in the simulation can wake them any more. Its text lists them.
class Stuck : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class SimScheduler final : public coro::Scheduler {
 public:
  // More turns than this without becoming idle is a loop that never ends.
  static constexpr std::uint64_t most_turns = 50'000'000;

  explicit SimScheduler(std::uint64_t seed = 1) : random_(seed) {}

  TimePoint now() const override { return now_; }
  WallTime wall() const override;

  // Runs jobs and timers until nothing is left to do. Throws Stuck when tasks live even so.
  void run_until_idle();
  // The same for what is due within `duration`; tasks may live on.
  void run_for(Duration duration);
  // Runs one turn: the jobs, then the timers due at the next instant. False: nothing was left to
  // do.
  bool run_turn();
  // Runs a task to its end, and only so far. Throws what it throws, and Stuck when it cannot end.
  template <typename T>
  T run(coro::Task<T> task);

  Duration elapsed() const { return now_ - start; }
  // Coroutine frames on this thread, whoever owns them: 0 when every task is gone.
  std::size_t live_tasks() const { return coro::live_frames(); }
  Random& random() { return random_; }

 private:
  // 2026-01-01 00:00:00 UTC, and a steady clock that is not at its beginning.
  static constexpr TimePoint start{std::chrono::hours(1000)};
  static constexpr std::chrono::seconds wall_start{1'767'225'600};

  struct Finished final : coro::Completion {
    void finished() noexcept override { done = true; }
    bool done = false;
  };

  void wake() override {}
  void rearm(TimePoint) override {}
  std::string describe_stuck() const;
  // Stops a task that is stuck, so that it has no frame left when Stuck is thrown.
  [[noreturn]] void unwind(coro::Context& context, const Finished& finished);

  TimePoint now_ = start;
  Random random_;
};

template <typename T>
T SimScheduler::run(coro::Task<T> task) {
  coro::Context context(*this, "test");
  Finished finished;
  bool stuck = false;
  if (!task.start(context, finished)) {
    while (!finished.done && !stuck) stuck = !run_turn();
  }
  if (stuck) unwind(context, finished);
  return task.await_resume();
}

}  // namespace postern::testing
