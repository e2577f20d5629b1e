// What is remembered of messages that the client was told to send again, because its recipients
// could not have one reply: who wanted which, and who has the message already.
//
// In the worker's memory, bounded, for a time: a client that comes back to another worker is told
// once more.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/coro/scheduler.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace postern::session {

class Remembered {
 public:
  static constexpr std::size_t most = 10'000;

  explicit Remembered(coro::Duration lifetime) : lifetime_(lifetime) {}

  void remember(std::uint64_t key, std::uint64_t value, coro::TimePoint now);
  std::optional<std::uint64_t> find(std::uint64_t key, coro::TimePoint now) const;
  std::size_t size() const { return known_.size(); }

 private:
  struct Known {
    std::uint64_t value;
    coro::TimePoint until;
  };
  coro::Duration lifetime_;
  std::unordered_map<std::uint64_t, Known> known_;
  std::deque<std::uint64_t> order_;  // the oldest first
};

// Who sends to whom. Clients of one network count as one: a site may retry from another host.
std::uint64_t who_to_whom(const IpAddress& client, std::string_view reverse_path,
                          std::string_view recipient);

// One message for one recipient, whoever sends it. `content` is a sum of hash() over its pieces.
std::uint64_t message_to(std::uint64_t content, std::string_view reverse_path,
                         std::string_view recipient);
std::uint64_t hash(std::uint64_t before, std::string_view octets);

}  // namespace postern::session
