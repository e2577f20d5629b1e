// What may be done to one key of the state store, as pure functions: each back end, and what a
// worker foresees of its own updates, goes by them.
#pragma once

#include <postern/base/chrono.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::store {

using std::chrono::milliseconds;
using WallTime = std::chrono::time_point<std::chrono::system_clock, milliseconds>;
// Of a worker, or a command: drawn at random when it opens the store.
using Owner = std::uint64_t;

// Who still lives, for places and leases. Any thread.
class Living {
 public:
  virtual bool alive(Owner owner) const = 0;

 protected:
  ~Living() = default;
};

// Tokens come back one by one, at most `burst` of them.
struct Bucket {
  std::uint32_t burst = 1;
  milliseconds each{1000};  // above 0: for one token to come back
};

// What a key holds.
enum class Form : char { value = 'v', count = 'c', bucket = 'b', places = 'p', lease = 'l' };

struct Entry {
  Form form = Form::value;
  WallTime expires;
  std::string content;  // of a value: itself

  // Places have no lifetime: they are looked through when it has passed.
  bool expired(WallTime now) const { return form != Form::places && expires <= now; }
};

struct Update {
  enum class Kind : std::uint8_t {
    put,
    erase,
    count,            // `amount` more, in a window of `lifetime`
    take,             // `amount` tokens
    compare_and_set,  // from `expected` (nothing: no value) to `value` (nothing: erased)
    hold,             // a place of `amount`
    release,          // a place
    lease,            // for `lifetime`, unless somebody else has it
    review            // takes the places of the dead back
  };
  Kind kind = Kind::put;
  WallTime now;
  milliseconds lifetime{0};
  std::uint64_t amount = 1;
  Bucket bucket = {};
  Owner owner = 0;
  std::optional<std::string> value = {};
  std::optional<std::string> expected = {};
};

struct Outcome {
  bool done = true;  // false: no token, no place, another's lease, another value
  // count: events in the window; hold: places taken; take: tokens left, or when refused the
  // milliseconds until there are enough.
  std::uint64_t number = 0;
};

struct Applied {
  bool changed = false;
  std::optional<Entry> entry;  // when changed: what is there now
  Outcome outcome;
};

// `current`: what the key holds; null, too, for what has expired. What has another form than the
// update is about counts as nothing.
Applied apply(const Update& update, const Entry* current, const Living& living);

// Events in the window of `length` that ends now. The window slides in eighths: an event counts for
// `length`, and up to an eighth longer. A window of another length than was counted with is empty.
std::uint64_t counted(const Entry* entry, milliseconds length, WallTime now);

// How an entry is written: format octet, form, time of expiry, content.
inline constexpr std::uint8_t format = 1;
std::string encode(const Entry& entry);
// Nothing: another format, of a newer version; it counts as no entry.
std::optional<Entry> decode(std::string_view octets);

// For people: the content of a value as it is, else "12 events", "2 places".
std::string describe(const Entry& entry);

}  // namespace postern::store
