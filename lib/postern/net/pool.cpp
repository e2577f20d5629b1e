#include <postern/net/pool.hpp>

#include <unistd.h>
#include <uv.h>

#include <memory>

namespace postern::net {

struct PoolWait::Request {
  explicit Request(PoolWait& owner) : wait(owner) { work.data = this; }
  uv_work_t work{};
  PoolWait& wait;
};

bool PoolWait::submit(std::coroutine_handle<> handle, coro::Context& context) {
  if (context.stopped()) return false;
  handle_ = handle;
  context_ = &context;
  request_ = new Request(*this);
  const int failed = uv_queue_work(
      loop_.uv(), &request_->work,
      [](uv_work_t* work) { static_cast<Request*>(work->data)->wait.job_.work(); },
      [](uv_work_t* work, int status) {
        const std::unique_ptr<Request> request(static_cast<Request*>(work->data));
        request->wait.done(status == 0);
      });
  if (failed) {
    delete std::exchange(request_, nullptr);
    return false;
  }
  context.link(*this);
  return true;
}

void PoolWait::done(bool ran) {
  loop_.enter();
  ran_ = ran;
  ListHook<coro::StopTag>::unlink();
  loop_.set_running(context_->label());
  handle_.resume();
}

void PoolWait::on_stop(Errc) noexcept { uv_cancel(reinterpret_cast<uv_req_t*>(&request_->work)); }

void PoolWait::describe(std::string& out) const {
  out.append(context_->label()).append(": pool job\n");
}

void close_on_pool(Loop& loop, int fd) {
  struct Close {
    uv_work_t work{};
    int fd;
    explicit Close(int descriptor) : fd(descriptor) { work.data = this; }
  };
  auto* job = new Close(fd);
  const int failed = uv_queue_work(
      loop.uv(), &job->work, [](uv_work_t* work) { close(static_cast<Close*>(work->data)->fd); },
      [](uv_work_t* work, int) { delete static_cast<Close*>(work->data); });
  if (!failed) return;
  close(fd);
  delete job;
}

}  // namespace postern::net
