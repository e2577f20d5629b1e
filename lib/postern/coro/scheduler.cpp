#include <postern/coro/context.hpp>
#include <postern/coro/scheduler.hpp>

namespace postern::coro {

void Scheduler::post(Job& job) {
  const bool first = jobs_.empty();
  jobs_.push_back(job);
  if (first) wake();
}

void Scheduler::arm(Timer& timer, TimePoint due) {
  timers_.remove(timer);
  timers_.insert(timer, due);
  if (timers_.first() == &timer) rearm(due);
}

void Scheduler::adopt(StopNode& context) { contexts_.push_back(context); }

std::string Scheduler::waiting() const {
  std::string out;
  contexts_.each([&](const StopNode& context) { context.describe(out); });
  return out;
}

void Scheduler::run_jobs() {
  batch_.append(jobs_);  // what runs now may post more, for the next turn, or take jobs back
  while (!batch_.empty()) batch_.pop_front().run();
}

void Scheduler::fire_timers(TimePoint now) {
  while (Timer* timer = timers_.first()) {
    if (timer->due() > now) return;
    timers_.remove(*timer);
    timer->fire();
  }
}

}  // namespace postern::coro
