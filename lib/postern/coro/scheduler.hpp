// What a task may ask of the loop it runs on: the time, a later turn, a timer. `net` implements it
// on libuv, `testing` in virtual time; one conformance test runs on both.
#pragma once

#include <postern/base/chrono.hpp>
#include <postern/coro/list.hpp>
#include <postern/coro/timer_queue.hpp>

#include <string>
#include <string_view>

namespace postern::coro {

class StopNode;
struct StopTag;

// Work for a later turn of the loop; owned by whoever posts it.
class Job : public ListHook<struct PostedTag> {
 public:
  virtual void run() = 0;

 protected:
  ~Job() = default;
};

// Single-threaded: everything is called on the loop's thread.
class Scheduler {
 public:
  using WallTime = std::chrono::system_clock::time_point;

  Scheduler() = default;
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  virtual ~Scheduler() = default;

  virtual TimePoint now() const = 0;  // the time at which this turn began; never goes back
  virtual WallTime wall() const = 0;

  // Runs `job` in a later turn, never from inside this call; jobs run in the order posted.
  // Destroying the job takes it back.
  void post(Job& job);
  // Fires `timer` once, not before `due`; arming an armed timer moves it.
  void arm(Timer& timer, TimePoint due);
  void disarm(Timer& timer) { timers_.remove(timer); }

  // Who holds the loop now, for the lag report: set at each resumption.
  void set_running(std::string_view label) { running_ = label; }
  std::string_view running() const { return running_; }

  // Every task that waits on this scheduler, one line each: what `postern tasks` shows.
  std::string waiting() const;
  // For contexts that no other context can stop: roots and shields.
  void adopt(StopNode& context);

 protected:
  virtual void wake() = 0;                // something was posted while nothing was
  virtual void rearm(TimePoint due) = 0;  // the earliest timer is now due at `due`

  bool has_jobs() const { return !jobs_.empty() || !batch_.empty(); }
  void run_jobs();                  // those posted before this call, not those they post
  void fire_timers(TimePoint now);  // all that are due
  const TimerQueue& timers() const { return timers_; }

 private:
  List<Job, PostedTag> jobs_;
  List<Job, PostedTag> batch_;  // those of this turn that have not run yet
  List<StopNode, StopTag> contexts_;
  TimerQueue timers_;
  std::string_view running_;
};

}  // namespace postern::coro
