// Delivery to a downstream MTA by SMTP. The downstream is opened for the first recipient; each
// later one is asked about as the client names it; DATA begins when the whole message is here.
#pragma once

#include <postern/deliver/pool.hpp>
#include <postern/deliver/route.hpp>

namespace postern::deliver {

class SmtpRoute final : public Route {
 public:
  SmtpRoute(coro::Scheduler& scheduler, net::Network& network, Log& log, PoolSettings settings)
      : pool_(scheduler, network, log, std::move(settings)) {}

  smtp::Capabilities offers() const override;
  std::unique_ptr<Delivery> begin(Envelope& envelope) override;
  coro::Task<void> close() override { return pool_.close(); }
  Pool& pool() { return pool_; }

 private:
  Pool pool_;
};

}  // namespace postern::deliver
