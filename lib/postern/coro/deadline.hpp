// Time limits on a task, and the shield for what must not be stopped half-way.
//
//   auto reply = co_await within(30s, ask(downstream));      // timed_out after 30 s, or what the
//   caller has left auto reply = co_await shielded(540s, commit(message));   // hears no stop, but
//   ends after 540 s
#pragma once

#include <postern/coro/task.hpp>

namespace postern::coro {

// A context with a timer that stops it.
class LimitedContext final : private Timer {
 public:
  LimitedContext(Context& parent, Duration limit, bool shield);
  ~LimitedContext() { context_.scheduler().disarm(*this); }
  Context& context() { return context_; }

 private:
  void fire() override { context_.stop(Errc::timed_out); }
  Context context_;
};

template <typename T>
class Limited {
 public:
  Limited(Duration limit, bool shield, Task<T> task)
      : limit_(limit), shield_(shield), task_(std::move(task)) {}
  Limited(const Limited&) = delete;
  Limited& operator=(const Limited&) = delete;

  bool await_ready() const noexcept { return false; }
  template <typename Parent>
  bool await_suspend(std::coroutine_handle<Parent> parent) {
    limited_.emplace(*parent.promise().context, limit_, shield_);
    return !task_.start(limited_->context(), parent);
  }
  T await_resume() { return task_.await_resume(); }

 private:
  Duration limit_;
  bool shield_;
  std::optional<LimitedContext> limited_;  // outlives the task's frame
  Task<T> task_;
};

template <typename T>
Limited<T> within(Duration limit, Task<T> task) {
  return Limited<T>(limit, false, std::move(task));
}
template <typename T>
Limited<T> shielded(Duration limit, Task<T> task) {
  return Limited<T>(limit, true, std::move(task));
}

}  // namespace postern::coro
