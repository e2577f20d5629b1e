// Delivery to a downstream MTA by SMTP or LMTP. The downstream is opened for the first recipient;
// each later one is asked about as the client names it; DATA begins when the whole message is here.
#pragma once

#include <postern/deliver/pool.hpp>
#include <postern/deliver/route.hpp>
#include <postern/deliver/verify.hpp>

#include <optional>

namespace postern::deliver {

class SmtpRoute final : public Route {
 public:
  SmtpRoute(coro::Scheduler& scheduler, net::Network& network, Log& log, PoolSettings settings,
            net::Programs* programs = nullptr)
      : pool_(scheduler, network, log, std::move(settings), programs) {
    if (pool_.settings().verify) verifier_.emplace(scheduler, pool_, *pool_.settings().verify);
  }

  smtp::Capabilities offers() const override;
  std::unique_ptr<Delivery> begin(Envelope& envelope) override;
  coro::Task<void> close() override;
  Pool& pool() { return pool_; }
  // Null: recipients are not verified.
  Verifier* verifier() { return verifier_ ? &*verifier_ : nullptr; }

 private:
  Pool pool_;
  std::optional<Verifier> verifier_;
};

}  // namespace postern::deliver
