// Work that can only block, on libuv's thread pool.
#pragma once

#include <postern/coro/task.hpp>
#include <postern/net/loop.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace postern::net {

class PoolJob {
 public:
  virtual void work() = 0;  // on a pool thread: touches nothing but its own data
 protected:
  ~PoolJob() = default;
};

// Runs `job`. A stop takes it back if it has not begun; once it runs, it is waited for.
// Result: false when it was taken back.
class PoolWait final : public coro::StopNode {
 public:
  PoolWait(Loop& loop, PoolJob& job) : loop_(loop), job_(job) {}
  PoolWait(const PoolWait&) = delete;
  PoolWait& operator=(const PoolWait&) = delete;

  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    return submit(handle, *handle.promise().context);
  }
  bool await_resume() const noexcept { return ran_; }

 private:
  struct Request;
  bool submit(std::coroutine_handle<> handle, coro::Context& context);
  void done(bool ran);
  void run() override {}
  void on_stop(Errc why) noexcept override;
  void describe(std::string& out) const override;

  Loop& loop_;
  PoolJob& job_;
  Request* request_ = nullptr;
  coro::Context* context_ = nullptr;
  std::coroutine_handle<> handle_;
  bool ran_ = false;
};

// A job from a callable that gives a Result<T> and owns what it uses.
template <typename Work>
class OffloadedWork final : public PoolJob {
 public:
  using Outcome = std::invoke_result_t<Work>;
  explicit OffloadedWork(Work work) : body_(std::move(work)) {}
  void work() override {
    try {
      outcome_.emplace(body_());
    } catch (...) {
      error_ = std::current_exception();
    }
  }
  // After it ran; throws what it threw.
  Outcome take() {
    if (error_) std::rethrow_exception(error_);
    return std::move(*outcome_);
  }

 private:
  Work body_;
  std::optional<Outcome> outcome_;
  std::exception_ptr error_;
};

// `work` gives a Result<T>; it must own what it uses. Errors: its own, or why the caller was
// stopped.
template <typename Work>
coro::Task<std::invoke_result_t<Work>> offload(Loop& loop, Work work) {
  OffloadedWork<Work> job(std::move(work));
  PoolWait wait(loop, job);
  const bool ran = co_await wait;
  if (!ran) {
    coro::Context* context = co_await coro::current_context();
    co_return fail(context->why());
  }
  co_return job.take();
}

// Closes a descriptor on the pool (an unlinked spool file may take its time); the loop waits for it
// before it goes.
void close_on_pool(Loop& loop, int fd);

}  // namespace postern::net
