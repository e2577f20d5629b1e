// One transaction with a downstream; inside `deliver` only.
#pragma once

#include <postern/deliver/pool.hpp>
#include <postern/deliver/route.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::deliver {

class SmtpDelivery final : public Delivery, private Lender {
 public:
  SmtpDelivery(Pool& pool, Envelope& envelope) : pool_(pool), envelope_(envelope) {}
  ~SmtpDelivery() override { end_transaction(); }

  coro::Task<smtp::Reply> rcpt(std::size_t index) override;
  void pauses() override;
  coro::Task<Handover> commit(Message& message) override;
  std::string target() const override { return target_; }
  const Protection* protection() const override { return protection_.get(); }

 private:
  using Refusal = std::optional<smtp::Reply>;  // for our client; nothing: it goes on
  enum class Phase : unsigned char {
    clean,      // no transaction of ours is in it
    envelope,   // MAIL was accepted, all was answered
    unsettled,  // an answer or the rest of a body is outstanding: only good for closing
  };

  // Envelope.
  coro::Task<smtp::Reply> ask(std::size_t accepted);
  coro::Task<smtp::Reply> attempt(std::size_t accepted);
  coro::Task<Refusal> connect();
  std::vector<std::string> lines(std::size_t first, std::size_t last) const;
  smtp::Reply judge(const std::vector<smtp::Reply>& replies, std::size_t introduction,
                    std::size_t repeated);
  smtp::Reply judge_recipients(const std::vector<smtp::Reply>& replies, std::size_t introduction,
                               std::size_t repeated);
  Refusal cannot_carry_envelope(std::size_t accepted) const;

  // Content.
  Refusal cannot_carry(const Message& message) const;
  bool is_binary() const { return envelope_.parameters.body == smtp::Body::binary_mime; }
  coro::Task<Refusal> begin_data();
  coro::Task<Handover> send(Message& message);
  coro::Task<Handover> send_lines(Message& message);
  coro::Task<Handover> send_chunk(Message& message);
  coro::Task<std::optional<Handover>> send_piece(std::string octets);
  coro::Task<Handover> commit_with(std::string last);
  coro::Task<Handover> finish(std::string last);
  Handover unread(const Error& error);
  coro::Task<Handover> hear_each();
  coro::Task<Handover> answer_before_time();

  Lease lend() override;
  void end_transaction();
  void drop_connection() {
    lease_.connection.reset();
    phase_ = Phase::clean;
  }
  smtp::Reply lost(std::string_view phase, const Error& error);
  smtp::Reply refused_for_good(smtp::Reply reply);
  Connection& connection() { return *lease_.connection; }
  const DownstreamTimeouts& timeouts() const { return pool_.settings().timeouts; }

  Pool& pool_;
  Envelope& envelope_;
  Lease lease_;
  std::string target_;
  std::shared_ptr<const Protection> protection_;
  Phase phase_ = Phase::clean;  // of the connection
  Refusal refusal_;             // for every recipient from now on
};

}  // namespace postern::deliver
