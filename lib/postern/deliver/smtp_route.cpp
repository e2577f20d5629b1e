#include <postern/deliver/smtp_delivery.hpp>
#include <postern/deliver/smtp_route.hpp>
#include <postern/deliver/verified_delivery.hpp>

namespace postern::deliver {

smtp::Capabilities SmtpRoute::offers() const {
  if (pool_.learnt()) return *pool_.learnt();
  smtp::Capabilities hoped;  // until the first connection tells; what then is missing is bridged
  hoped.eight_bit_mime = true;
  hoped.smtputf8 = true;
  hoped.dsn = true;
  return hoped;
}

std::unique_ptr<Delivery> SmtpRoute::begin(Envelope& envelope) {
  auto delivery = std::make_unique<SmtpDelivery>(pool_, envelope);
  if (!verifier_) return delivery;
  return std::make_unique<VerifiedDelivery>(*verifier_, envelope, std::move(delivery));
}

coro::Task<void> SmtpRoute::close() {
  if (verifier_) co_await verifier_->close();
  co_await pool_.close();
}

}  // namespace postern::deliver
