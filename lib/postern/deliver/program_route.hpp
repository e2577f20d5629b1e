// Delivery to a program of this machine: qmail-queue, a batch of SMTP commands, the sendmail
// command. It runs once for a message, when all of it is here; 250 is for its status 0 alone.
#pragma once

#include <postern/base/log.hpp>
#include <postern/coro/slots.hpp>
#include <postern/deliver/program.hpp>
#include <postern/deliver/route.hpp>

namespace postern::deliver {

class ProgramRoute final : public Route {
 public:
  ProgramRoute(net::Programs& programs, Log& log, ProgramSettings settings)
      : programs_(programs),
        log_(log),
        settings_(std::move(settings)),
        slots_(settings_.at_a_time) {}

  smtp::Capabilities offers() const override;
  std::unique_ptr<Delivery> begin(Envelope& envelope) override;
  coro::Task<void> close() override { co_return; }

 private:
  class Transaction;

  net::Programs& programs_;
  Log& log_;
  ProgramSettings settings_;
  coro::Slots slots_;
};

// What our client hears of a program that has ended; `whole`: it had been given the whole message.
// qmail-queue's statuses 11 to 40 refuse (qmail-queue(8)); of sysexits.h those do that speak of the
// message and its addresses; of a batch, its first 4yz or 5yz. All else is trouble of ours, and the
// client comes again.
smtp::Reply reply_to_end(Manner manner, const net::ProgramEnd& end, bool whole,
                         const std::string& id);

}  // namespace postern::deliver
