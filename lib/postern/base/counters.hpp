// What is counted, and a process's numbers. This list is the only place that names a count: status
// and metrics are made from it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern {

enum class Count : std::uint8_t {
  sessions,
  sessions_overload,
  sessions_refused,
  auth_accepted,
  auth_refused,
  auth_failed,
  transactions,
  messages_accepted,
  messages_deferred,
  messages_refused,
  messages_uncertain,
  message_octets,
  recipients_accepted,
  recipients_deferred,
  recipients_refused,
  workers_lost,
};

struct CountName {
  Count count;
  std::string_view name;
  std::string_view help;
};

inline constexpr std::array count_names{
    CountName{Count::sessions, "sessions", "connections that were taken"},
    CountName{Count::sessions_overload, "sessions_overload", "of these, told 421: too many"},
    CountName{Count::sessions_refused, "sessions_refused", "of these, ended by a plugin's refusal"},
    CountName{Count::auth_accepted, "auth_accepted", "AUTH commands answered 235"},
    CountName{Count::auth_refused, "auth_refused", "AUTH commands answered 535"},
    CountName{Count::auth_failed, "auth_failed", "AUTH commands answered 454: nobody could tell"},
    CountName{Count::transactions, "transactions", "MAIL commands that began one"},
    CountName{Count::messages_accepted, "messages_accepted", "messages answered 250"},
    CountName{Count::messages_deferred, "messages_deferred",
              "messages answered 4xx at DATA or after their end"},
    CountName{Count::messages_refused, "messages_refused", "messages answered 5xx there"},
    CountName{Count::messages_uncertain, "messages_uncertain",
              "of those deferred: the downstream may have kept them, its answer was lost"},
    CountName{Count::message_octets, "message_octets", "octets of the accepted messages"},
    CountName{Count::recipients_accepted, "recipients_accepted", "RCPT commands answered 250"},
    CountName{Count::recipients_deferred, "recipients_deferred", "RCPT commands answered 4xx"},
    CountName{Count::recipients_refused, "recipients_refused", "RCPT commands answered 5xx"},
    CountName{Count::workers_lost, "workers_lost", "workers that ended unasked"},
};

inline constexpr std::size_t counts = count_names.size();
static_assert(
    [] {
      for (std::size_t i = 0; i < counts; ++i)
        if (count_names[i].count != static_cast<Count>(i)) return false;
      return true;
    }(),
    "each count is named once, in its order");

// One writer; readers may be other processes, which see each number whole.
class Counters {
 public:
  void add(Count count, std::uint64_t by = 1) { add(static_cast<std::size_t>(count), by); }
  void add(std::size_t index, std::uint64_t by) {
    values_[index].store(get(index) + by, std::memory_order_relaxed);
  }
  std::uint64_t get(Count count) const { return get(static_cast<std::size_t>(count)); }
  std::uint64_t get(std::size_t index) const {
    return values_[index].load(std::memory_order_relaxed);
  }
  void clear(std::size_t index) { values_[index].store(0, std::memory_order_relaxed); }

 private:
  using Value = std::atomic<std::uint64_t>;
  static_assert(Value::is_always_lock_free, "it lies in memory that processes share");
  std::array<Value, counts> values_{};
};

}  // namespace postern
