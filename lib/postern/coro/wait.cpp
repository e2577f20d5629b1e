#include <postern/coro/wait.hpp>

#include <cassert>

namespace postern::coro {

Wait::~Wait() { assert(!timer_.armed() && "a frame was destroyed while it waited"); }

bool Wait::suspend(std::coroutine_handle<> handle, Context& context) {
  handle_ = handle;
  context_ = &context;
  if (context.stopped()) {
    stopped_ = context.why();
    return false;
  }
  if (!begin()) return false;
  context.link(*this);
  if (limit_ != forever) context.scheduler().arm(timer_, context.scheduler().now() + limit_);
  return true;
}

void Wait::settle() noexcept {
  ListHook<StopTag>::unlink();
  context_->scheduler().disarm(timer_);
}

void Wait::give_up(Errc why) noexcept {
  stopped_ = why;
  abandon();
  resume_soon();
}

void Wait::resume() {
  settle();
  run();
}

void Wait::resume_soon() {
  settle();
  context_->scheduler().post(*this);
}

void Wait::run() {
  context_->scheduler().set_running(context_->label());
  handle_.resume();
}

tl::unexpected<Error> Wait::stop_error() const { return fail(*stopped_, what_); }

void Wait::describe(std::string& out) const {
  out.append(context_->label()).append(": ").append(what_).append("\n");
}

}  // namespace postern::coro
