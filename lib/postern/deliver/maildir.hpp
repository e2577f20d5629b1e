// Delivery into one Maildir (the format of qmail and Dovecot): a new file in tmp/, durable, then
// renamed into new/, and that made durable too. Every accepted recipient's mail goes there.
#pragma once

#include <postern/base/log.hpp>
#include <postern/coro/scheduler.hpp>
#include <postern/deliver/route.hpp>

namespace postern::deliver {

struct MaildirSettings {
  std::string path;
  std::string hostname;  // part of the file names
  bool operator==(const MaildirSettings&) const = default;
};

class Maildir final : public Route {
 public:
  Maildir(coro::Scheduler& scheduler, net::Files& files, Log& log, MaildirSettings settings)
      : scheduler_(scheduler), files_(files), log_(log), settings_(std::move(settings)) {}

  smtp::Capabilities offers() const override;
  std::unique_ptr<Delivery> begin(Envelope& envelope) override;
  coro::Task<void> close() override;

 private:
  class Transaction;
  std::string unique_name();

  coro::Scheduler& scheduler_;
  net::Files& files_;
  Log& log_;
  MaildirSettings settings_;
  std::uint64_t count_ = 0;
  bool folders_durable_ = false;  // by us, in this run
};

}  // namespace postern::deliver
