#include <postern/testing/sim_scheduler.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace postern::testing {

SimScheduler::WallTime SimScheduler::wall() const {
  return WallTime(std::chrono::duration_cast<WallTime::duration>(wall_start + elapsed()));
}

bool SimScheduler::run_turn() {
  if (has_jobs()) {
    run_jobs();
    return true;
  }
  const coro::Timer* next = timers().first();
  if (!next) return false;
  if (next->due() > now_) now_ = next->due();
  fire_timers(now_);
  return true;
}

void SimScheduler::run_until_idle() {
  for (std::uint64_t turn = 0; run_turn(); ++turn)
    if (turn == most_turns)
      throw Stuck(fmt::format("not idle after {} turns; waiting are:\n{}", turn, waiting()));
  if (live_tasks() > 0) throw Stuck(describe_stuck());
}

void SimScheduler::run_for(Duration duration) {
  const TimePoint until = now_ + duration;
  while (has_jobs() || (timers().first() && timers().first()->due() <= until)) run_turn();
  now_ = until;
}

std::string SimScheduler::describe_stuck() const {
  const std::string waits = waiting();
  return fmt::format("{} tasks live and nothing is due; waiting are:\n{}", live_tasks(),
                     waits.empty() ? "(none: a task was never started or never joined)\n" : waits);
}

void SimScheduler::unwind(coro::Context& context, const Finished& finished) {
  const std::string text = describe_stuck();
  context.stop(Errc::cancelled);
  while (!finished.done) {
    if (run_turn()) continue;
    std::fprintf(stderr, "a task does not end when it is stopped: %s", text.c_str());
    std::abort();  // its frame can be neither kept nor destroyed
  }
  throw Stuck(text);
}

}  // namespace postern::testing
