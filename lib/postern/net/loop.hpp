// The event loop of a worker: Scheduler on libuv.
#pragma once

#include <postern/coro/scheduler.hpp>

#include <memory>
#include <span>

struct uv_loop_s;

namespace postern::net {

using coro::Duration;
using coro::TimePoint;

// Hears of a turn that held the loop too long.
class LagWatcher {
 public:
  // `who` is the label of the task that ran last; valid during the call.
  virtual void loop_was_held(Duration duration, std::string_view who) = 0;

 protected:
  ~LagWatcher() = default;
};

class Loop final : public coro::Scheduler {
 public:
  static constexpr Duration held_too_long =
      std::chrono::milliseconds(50);  // DESIGN: the loop never waits

  Loop();
  ~Loop() override;  // everything on it must have been closed; runs what remains of closing

  TimePoint now() const override { return now_; }
  WallTime wall() const override { return std::chrono::system_clock::now(); }

  void run();   // until stop()
  void stop();  // from a task or callback: run() returns after this turn
  void watch_lag(LagWatcher* watcher) { lag_watcher_ = watcher; }

  // For the rest of `net`.
  uv_loop_s* uv();
  void enter();                   // first thing in each libuv callback
  std::span<char> read_buffer();  // one for all: used up before the callback returns

 private:
  struct Handles;
  void wake() override {}  // posted jobs run before the loop next waits for events
  void rearm(TimePoint due) override;
  void before_poll();
  void end_turn();
  void timer_due();

  std::unique_ptr<Handles> handles_;
  TimePoint now_;
  TimePoint began_;  // the turn, for the lag
  bool in_turn_ = false;
  LagWatcher* lag_watcher_ = nullptr;
};

}  // namespace postern::net
