// A flag that tasks wait for. Setting it wakes all of them, in order, in a later turn.
#pragma once

#include <postern/coro/wait.hpp>

namespace postern::coro {

class Event {
 public:
  class Waiter final : public Wait {
   public:
    Waiter(Event& event, Duration limit) : Wait("event", limit), event_(event) {}
    // Errors: cancelled, timed_out.
    Result<void> await_resume() const {
      if (stopped()) return stop_error();
      return {};
    }

   private:
    bool begin() override {
      if (event_.set_) return false;
      event_.waiters_.push_back(*this);
      return true;
    }
    Event& event_;
  };

  void set() {
    set_ = true;
    while (!waiters_.empty()) waiters_.pop_front().resume_soon();
  }
  void reset() { set_ = false; }
  bool is_set() const { return set_; }
  Waiter wait(Duration limit = forever) { return Waiter(*this, limit); }

 private:
  bool set_ = false;
  List<Waiter, QueueTag> waiters_;
};

}  // namespace postern::coro
