// Recipients of one message who wanted different answers: remembered for the client's next try, so
// that it is split at RCPT into transactions that can have one reply each (`mixed = "split"`).
//
// In the worker's memory, bounded, for some hours: a client that comes back to another worker is
// told once more to split.
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

class Splits {
 public:
  static constexpr std::size_t most = 10'000;
  static constexpr coro::Duration lifetime = std::chrono::hours(8);  // some retries of a queue

  // Who sends to whom. Clients of one network count as one: a site may retry from another host.
  static std::uint64_t key(const IpAddress& client, std::string_view reverse_path,
                           std::string_view recipient);

  // Those of one message with the same `outcome` may go together.
  void remember(std::uint64_t key, std::uint64_t outcome, coro::TimePoint now);
  std::optional<std::uint64_t> outcome_of(std::uint64_t key, coro::TimePoint now) const;
  std::size_t size() const { return known_.size(); }

 private:
  struct Known {
    std::uint64_t outcome;
    coro::TimePoint until;
  };
  std::unordered_map<std::uint64_t, Known> known_;
  std::deque<std::uint64_t> order_;  // the oldest first
};

}  // namespace postern::session
