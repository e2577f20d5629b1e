// Task<T>: a lazily started coroutine with one owner, who awaits it or gives it to a Group or
// Scope.
//
// A child is started inline, by a `bool await_suspend`: pure symmetric transfer overflows the stack
// with GCC 12 below -O2 and under AddressSanitizer when many children finish at once.
#pragma once

#include <postern/coro/context.hpp>
#include <postern/coro/frame_pool.hpp>

#include <cassert>
#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace postern::coro {

// Told once, at the end of a task that nobody awaits: it must not destroy the frame from inside.
class Completion {
 public:
  virtual void finished() noexcept = 0;

 protected:
  ~Completion() = default;
};

class PromiseBase {
 public:
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* frame, std::size_t size) { free_frame(frame, size); }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> handle) const noexcept {
      PromiseBase& promise = handle.promise();
      if (promise.starting) return std::noop_coroutine();  // whoever started it looks at done()
      if (promise.completion) {
        promise.completion->finished();
        return std::noop_coroutine();
      }
      return promise.continuation;
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() { error = std::current_exception(); }

  Context* context = nullptr;
  std::coroutine_handle<> continuation;
  Completion* completion = nullptr;
  bool starting = false;
  std::exception_ptr error;
};

template <typename T>
class Promise;

template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = Promise<T>;
  using value_type = T;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() { destroy(); }

  // Starts it under `context`. True: it has finished already; otherwise `completion` will be told.
  bool start(Context& context, Completion& completion) {
    handle_.promise().completion = &completion;
    return run(context);
  }
  // The same, with the awaiting coroutine to go on with.
  bool start(Context& context, std::coroutine_handle<> continuation) {
    handle_.promise().continuation = continuation;
    return run(context);
  }

  bool await_ready() const noexcept { return false; }
  template <typename Parent>
  bool await_suspend(std::coroutine_handle<Parent> parent) {
    return !start(*parent.promise().context, parent);
  }
  // The result; the frame is gone afterwards. Throws what the task threw.
  T await_resume() {
    struct Frame {  // destroyed after the result has been moved out
      Handle handle;
      explicit Frame(Handle h) : handle(h) {}
      ~Frame() { handle.destroy(); }
    } frame(std::exchange(handle_, {}));
    return frame.handle.promise().take();
  }

 private:
  bool run(Context& context) {
    PromiseBase& promise = handle_.promise();
    assert(promise.context == nullptr && "a task starts once");
    promise.context = &context;
    promise.starting = true;
    handle_.resume();
    if (handle_.done()) return true;
    promise.starting = false;
    return false;
  }
  void destroy() {
    if (!handle_) return;
    assert((handle_.promise().context == nullptr || handle_.done()) &&
           "a running task has no owner");
    handle_.destroy();
  }

  Handle handle_;
};

template <typename T>
class Promise final : public PromiseBase {
 public:
  Task<T> get_return_object() {
    return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
  }
  template <typename U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() {
    if (error) std::rethrow_exception(error);
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> final : public PromiseBase {
 public:
  Task<void> get_return_object() {
    return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
  }
  void return_void() const noexcept {}
  void take() {
    if (error) std::rethrow_exception(error);
  }
};

// The context of the task that awaits it: `Context* context = co_await current_context();`
class CurrentContext {
 public:
  CurrentContext() = default;
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    context_ = handle.promise().context;
    return false;
  }
  Context* await_resume() const noexcept { return context_; }

 private:
  Context* context_ = nullptr;
};
inline CurrentContext current_context() { return {}; }

}  // namespace postern::coro
