// What is remembered of messages that the client was told to send again, because its recipients
// could not have one reply: who wanted which, and who has the message already.
//
// For a time: in the worker's memory, bounded, so that it also works while the store does not; and
// in the store, for clients that come back to another worker.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/coro/scheduler.hpp>
#include <postern/store/store.hpp>

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

  // `space`: its name in the store; stays.
  Remembered(const char* space, coro::Duration lifetime) : space_(space), lifetime_(lifetime) {}

  void remember(store::Store& store, std::uint64_t key, std::uint64_t value, coro::TimePoint now);
  std::optional<std::uint64_t> find(store::Store& store, std::uint64_t key,
                                    coro::TimePoint now) const;

 private:
  struct Known {
    std::uint64_t value;
    coro::TimePoint until;
  };
  const char* space_;
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
