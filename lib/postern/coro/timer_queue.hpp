// A heap of timers, ordered by (time, order of arming). Far timers, the usual case (a command's
// 300 s), are armed and taken back at its end, in constant time.
#pragma once

#include <postern/base/chrono.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace postern::coro {

using Clock = std::chrono::steady_clock;
using Duration = Clock::duration;
using TimePoint = Clock::time_point;

inline constexpr Duration forever = Duration::max();

class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool armed() const { return place_ != nowhere; }
  TimePoint due() const { return due_; }
  virtual void fire() = 0;

 protected:
  ~Timer() = default;  // a timer is disarmed before it goes

 private:
  friend class TimerQueue;
  static constexpr std::uint32_t nowhere = UINT32_MAX;
  TimePoint due_;
  std::uint64_t sequence_ = 0;
  std::uint32_t place_ = nowhere;
};

class TimerQueue {
 public:
  void insert(Timer& timer, TimePoint due);
  void remove(Timer& timer);  // nothing when it is not armed
  Timer* first() const { return heap_.empty() ? nullptr : heap_.front(); }
  std::size_t size() const { return heap_.size(); }

 private:
  static bool before(const Timer& a, const Timer& b);
  void put(std::size_t place, Timer& timer);
  void sift_up(std::size_t place);
  void sift_down(std::size_t place);

  std::vector<Timer*> heap_;
  std::uint64_t sequence_ = 0;
};

}  // namespace postern::coro
