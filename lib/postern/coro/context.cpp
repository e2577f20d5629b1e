#include <postern/coro/context.hpp>

#include <cassert>

namespace postern::coro {

Context::Context(Scheduler& scheduler, std::string_view label)
    : scheduler_(scheduler), label_(label), owns_label_(true) {
  scheduler.adopt(*this);
}

Context::Context(Context& parent)
    : scheduler_(parent.scheduler_),
      label_(parent.label_),
      deadline_(parent.deadline_),
      why_(parent.why_) {
  if (!parent.stopped()) parent.link(*this);
}

Context::~Context() {
  assert(waits_.empty() && "a task still waits under this context");
  // The lag report at the end of this turn would otherwise read the id of a session that has gone.
  if (owns_label_ && scheduler_.running().data() == label_.data()) scheduler_.set_running({});
}

void Context::stop(Errc why) noexcept {
  if (why_) return;
  why_ = why;
  while (!waits_.empty()) waits_.pop_front().on_stop(why);
}

void Context::describe_waits(std::string& out) const {
  waits_.each([&](const StopNode& node) { node.describe(out); });
}

}  // namespace postern::coro
