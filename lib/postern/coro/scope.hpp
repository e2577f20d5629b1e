// Tasks that run beside their owner: a worker's sessions, a session's findings. The owner stops and
// joins them; a scope is empty before it goes.
#pragma once

#include <postern/coro/task.hpp>

namespace postern::coro {

class Scope {
 public:
  Scope(Scheduler& scheduler, std::string_view label) : context_(scheduler, label) {}
  explicit Scope(Context& parent) : context_(parent) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() { assert(running_ == 0 && "a scope goes before its tasks"); }

  // Starts it now, inline until it first waits. What it throws is rethrown by join().
  void start(Task<void> task) { start(std::move(task), context_); }
  // The same under a context of its own, which the task keeps: stop() does not reach it.
  void start(Task<void> task, Context& context);
  void stop(Errc why) { context_.stop(why); }
  std::size_t running() const { return running_; }
  Context& context() { return context_; }
  const Context& context() const { return context_; }

  // Waits until no task is left, whoever is stopped meanwhile: a join is not cancelled.
  class Join final : public Job {
   public:
    explicit Join(Scope& scope) : scope_(scope) {}
    bool await_ready() const noexcept { return scope_.running_ == 0; }
    void await_suspend(std::coroutine_handle<> handle) {
      handle_ = handle;
      scope_.join_ = this;
    }
    void await_resume() const {
      if (scope_.error_) std::rethrow_exception(std::exchange(scope_.error_, nullptr));
    }
    void run() override { handle_.resume(); }

   private:
    Scope& scope_;
    std::coroutine_handle<> handle_;
  };
  Join join() { return Join(*this); }

 private:
  class Child;
  void reap(Child& child);

  Context context_;
  std::size_t running_ = 0;
  Join* join_ = nullptr;
  std::exception_ptr error_;
};

}  // namespace postern::coro
