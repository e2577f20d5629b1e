// The state store: small keys with a lifetime, shared by the workers of a site. Plugins reach it
// through a State (state.hpp), which gives each a namespace.
//
// Nothing here waits but the tasks. What is read is what this worker knows: others' updates within
// 10 ms, its own at once. An update is handed over, or, where its outcome must be exact, awaited; a
// stop of who awaits it does not undo it.
//
// Errors: no_space (disk or store full), io, busy (too much is queued), malformed (the file is
// being replaced), unsupported (there is no store), too_long; of tasks also cancelled.
#pragma once

#include <postern/base/result.hpp>
#include <postern/coro/task.hpp>
#include <postern/store/update.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::store {

inline constexpr std::size_t max_key_octets = 4096;
inline constexpr std::size_t max_value_octets = 65536;

struct Item {
  std::string key;
  Entry entry;
};

// For status.
struct StoreState {
  bool usable = false;
  std::string problem;  // what the last update met; empty: nothing
  std::uint64_t entries = 0;
  std::uint64_t octets = 0;   // used
  std::uint64_t size = 0;     // that may be used
  std::size_t queued = 0;     // updates that others do not see yet
  std::uint64_t expired = 0;  // entries that this worker removed when their time had come,
  std::uint64_t evicted = 0;  // and before that, for want of room
  std::uint64_t failed = 0;   // updates that were lost
};

class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  virtual WallTime now() const = 0;
  // Nothing: there is none, or it has expired.
  virtual Result<std::optional<Entry>> get(std::string_view key) = 0;
  // Entries whose keys begin with `prefix` and come after `after`, in the order of their octets;
  // at most `most` of them, and fewer than that only at the end.
  virtual Result<std::vector<Item>> scan(std::string_view prefix, std::string_view after,
                                         std::size_t most) = 0;
  // Applied later; the outcome is what this worker foresees. `now` and `owner` are filled in.
  virtual Result<Outcome> hand_over(std::string_view key, Update update) = 0;
  // Applied when the task has ended.
  virtual coro::Task<Result<Outcome>> settle(std::string key, Update update) = 0;
  virtual StoreState state() const = 0;
};

// Where there is none: everything is an error.
Store& no_store();

}  // namespace postern::store
