// The least that a session and a task with a result need of coroutines.
#pragma once

#include <coroutine>
#include <exception>

namespace spike {

// Nobody waits for a session: it owns itself, and ends when its client does.
struct Session {
  struct promise_type {
    Session get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

class Forwarding {  // a task with a result, awaited at once
 public:
  struct promise_type {
    Forwarding get_return_object() { return Forwarding(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Back {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> done) noexcept {
          return done.promise().waiter;
        }
        void await_resume() noexcept {}
      };
      return Back();
    }
    void return_value(bool value) { taken = value; }
    void unhandled_exception() { std::terminate(); }
    std::coroutine_handle<> waiter;
    bool taken = false;
  };
  using Handle = std::coroutine_handle<promise_type>;

  explicit Forwarding(Handle handle) : handle_(handle) {}
  Forwarding(const Forwarding&) = delete;
  Forwarding& operator=(const Forwarding&) = delete;
  ~Forwarding() { handle_.destroy(); }
  bool await_ready() { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) {
    handle_.promise().waiter = waiter;
    return handle_;
  }
  bool await_resume() { return handle_.promise().taken; }

 private:
  Handle handle_;
};

}  // namespace spike
