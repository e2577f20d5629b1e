// One mail transaction: from MAIL to the reply to the end of data, RSET, or the end of the session.
#pragma once

#include <postern/coro/scheduler.hpp>
#include <postern/deliver/route.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::session {

// Who decided what a recipient or a message heard.
enum class Decider : std::uint8_t { core, recipients, downstream };
std::string_view name(Decider decider);  // "core", "core:recipients", "downstream"

struct Transaction {
  // What one RCPT heard, for the record.
  struct Heard {
    std::string path;
    smtp::Reply reply;
    Decider by;
  };
  static constexpr std::size_t most_heard =
      200;  // a dictionary attack is counted beyond, not listed

  explicit Transaction(const deliver::Client& client) : envelope(client) {}

  void hear(std::string path, const smtp::Reply& reply, Decider by);
  // The answer to the same forward-path before; null when it is new, or was refused.
  const smtp::Reply* accepted_before(std::string_view path) const;

  deliver::Envelope envelope;
  std::unique_ptr<deliver::Delivery>
      delivery;  // from the first recipient that passed our own checks
  std::vector<Heard> heard;
  std::size_t unlisted = 0;  // RCPTs beyond most_heard
  std::size_t accepted = 0;  // recipients
  coro::TimePoint began;
  std::uint64_t octets = 0;  // of the message, as received
  bool early_data = false;   // the client sent content before it heard 354
};

}  // namespace postern::session
