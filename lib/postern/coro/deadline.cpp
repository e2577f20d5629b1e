#include <postern/coro/deadline.hpp>

namespace postern::coro {
namespace {

// Context is neither copied nor moved; a conditional of two prvalues builds it in place.
Context make(Context& parent, bool shield) {
  if (shield) return Context(parent, Context::Shielded{});
  return Context(parent);
}

}  // namespace

LimitedContext::LimitedContext(Context& parent, Duration limit, bool shield)
    : context_(make(parent, shield)) {
  if (limit == forever) return;
  const TimePoint due = context_.scheduler().now() + limit;
  if (due >= context_.deadline()) return;  // whoever set the earlier deadline stops us
  context_.tighten(due);
  context_.scheduler().arm(*this, due);
}

}  // namespace postern::coro
