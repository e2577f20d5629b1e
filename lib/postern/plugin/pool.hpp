// The thread pool, for a plugin's work that blocks or computes for more than a millisecond.
//
//   auto job = [path = settings.path]() -> Result<Found> { … };   // owns all that it uses
//   auto found = co_await offload(services(), std::move(job));
#pragma once

#include <postern/net/pool.hpp>
#include <postern/plugin/services.hpp>

#include <type_traits>
#include <utility>

namespace postern::plugin {

// Provided by the worker as "postern".
struct Pool : Service<"postern.pool", 1> {
  // Runs the job on another thread. False: the caller was stopped before it began.
  virtual coro::Task<bool> run(net::PoolJob& job) = 0;

 protected:
  ~Pool() = default;
};

// `work` gives a Result<T>. Errors: its own, or why the caller was stopped. Once it runs it is
// waited for: it needs a time limit of its own.
template <typename Work>
coro::Task<std::invoke_result_t<Work>> offload(Services& services, Work work) {
  auto* pool = services.find<Pool>("postern");
  if (!pool) co_return fail(Errc::unsupported, "there is no thread pool here");
  net::OffloadedWork<Work> job(std::move(work));
  const bool ran = co_await pool->run(job);
  if (!ran) {
    coro::Context* context = co_await coro::current_context();
    co_return fail(context->why());
  }
  co_return job.take();
}

}  // namespace postern::plugin
