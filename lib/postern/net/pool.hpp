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

// `work` gives a Result<T>; it must own what it uses. Errors: its own, or why the caller was
// stopped.
template <typename Work>
coro::Task<std::invoke_result_t<Work>> offload(Loop& loop, Work work) {
  struct Job final : PoolJob {
    explicit Job(Work w) : body(std::move(w)) {}
    void work() override {
      try {
        result.emplace(body());
      } catch (...) {
        error = std::current_exception();
      }
    }
    Work body;
    std::optional<std::invoke_result_t<Work>> result;
    std::exception_ptr error;
  };
  Job job(std::move(work));
  PoolWait wait(loop, job);
  const bool ran = co_await wait;
  if (!ran) {
    coro::Context* context = co_await coro::current_context();
    co_return fail(context->why());
  }
  if (job.error) std::rethrow_exception(job.error);
  co_return std::move(*job.result);
}

// Closes a descriptor on the pool (an unlinked spool file may take its time); the loop waits for it
// before it goes.
void close_on_pool(Loop& loop, int fd);

}  // namespace postern::net
