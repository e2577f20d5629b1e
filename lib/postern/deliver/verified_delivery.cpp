#include <postern/deliver/verified_delivery.hpp>

namespace postern::deliver {

coro::Task<smtp::Reply> VerifiedDelivery::rcpt(std::size_t index) {
  const smtp::Path path = envelope_.recipients[index].path;
  auto verified = co_await verifier_.ask(path);
  if (verified.refusal) {
    by_ = verified.by;
    co_return std::move(*verified.refusal);
  }
  auto reply = co_await delivery_->rcpt(index);
  verifier_.learn(path, reply);
  by_ = delivery_->answered_by();
  co_return reply;
}

}  // namespace postern::deliver
