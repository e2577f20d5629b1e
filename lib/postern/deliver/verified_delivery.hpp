// A transaction whose recipients are verified before the downstream is opened for it; inside
// `deliver` only.
#pragma once

#include <postern/deliver/route.hpp>
#include <postern/deliver/verify.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace postern::deliver {

class VerifiedDelivery final : public Delivery {
 public:
  VerifiedDelivery(Verifier& verifier, Envelope& envelope, std::unique_ptr<Delivery> delivery)
      : verifier_(verifier), envelope_(envelope), delivery_(std::move(delivery)) {}

  coro::Task<smtp::Reply> rcpt(std::size_t index) override;
  std::string_view answered_by() const override { return by_; }
  void pauses() override { delivery_->pauses(); }
  coro::Task<Handover> commit(Message& message) override { return delivery_->commit(message); }
  std::string target() const override { return delivery_->target(); }
  const Protection* protection() const override { return delivery_->protection(); }

 private:
  Verifier& verifier_;
  Envelope& envelope_;
  std::unique_ptr<Delivery> delivery_;
  std::string_view by_;
};

}  // namespace postern::deliver
