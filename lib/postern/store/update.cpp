#include <postern/store/update.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

namespace postern::store {
namespace {

constexpr milliseconds review_interval = std::chrono::hours(1);
constexpr std::size_t eighths = 8;

// As they lie in memory: a store does not leave its machine.
template <typename T>
void append(std::string& out, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <typename T>
bool read(std::string_view octets, std::size_t at, T& out) {
  if (octets.size() < at + sizeof out) return false;
  std::memcpy(&out, octets.data() + at, sizeof out);
  return true;
}

// How many events fell into each eighth of the window, the newest first, and into the one before.
struct Window {
  std::int64_t step = 0;    // milliseconds
  std::int64_t newest = 0;  // its number since 1970
  std::array<std::uint32_t, eighths + 1> events{};

  static Window read(const Entry* entry, milliseconds length, WallTime now) {
    Window window;
    if (!entry || entry->form != Form::count || entry->content.size() != sizeof window ||
        !store::read(entry->content, 0, window) || window.step != step_of(length))
      window = Window{step_of(length), 0, {}};
    window.advance(now);
    return window;
  }
  static std::int64_t step_of(milliseconds length) {
    return std::max<std::int64_t>(1, length.count() / static_cast<std::int64_t>(eighths));
  }
  void advance(WallTime now) {
    const std::int64_t current = now.time_since_epoch().count() / step;
    const auto passed = static_cast<std::size_t>(
        std::clamp<std::int64_t>(current - newest, 0, static_cast<std::int64_t>(events.size())));
    std::shift_right(events.begin(), events.end(), static_cast<std::ptrdiff_t>(passed));
    std::fill_n(events.begin(), passed, 0);
    newest = std::max(newest, current);  // a clock that was set back counts on where it was
  }
  std::uint64_t sum() const {
    std::uint64_t all = 0;
    for (const std::uint32_t n : events) all += n;
    return all;
  }
};

Applied keep(Form form, WallTime expires, std::string content, Outcome outcome = {}) {
  return {true, Entry{form, expires, std::move(content)}, outcome};
}
Applied leave(Outcome outcome) { return {false, {}, outcome}; }

Applied count(const Update& update, const Entry* current) {
  Window window = Window::read(current, update.lifetime, update.now);
  const std::uint64_t sum = window.events[0] + update.amount;
  window.events[0] = static_cast<std::uint32_t>(std::min<std::uint64_t>(sum, UINT32_MAX));
  std::string content;
  append(content, window);
  const milliseconds end((window.newest + static_cast<std::int64_t>(eighths + 1)) * window.step);
  return keep(Form::count, WallTime(end), std::move(content), {true, window.sum()});
}

// The generic cell rate algorithm: the bucket is the time at which it will be full again.
Applied take(const Update& update, const Entry* current) {
  const std::int64_t each = std::max<std::int64_t>(1, update.bucket.each.count());
  const std::int64_t now = update.now.time_since_epoch().count();
  const std::int64_t room = each * update.bucket.burst;
  std::int64_t full = now;
  if (current && current->form == Form::bucket) read(current->content, 0, full);
  full = std::clamp(full, now, now + room);
  const auto asked = static_cast<std::int64_t>(
      std::min<std::uint64_t>(update.amount, std::uint64_t{update.bucket.burst} + 1));
  const std::int64_t then = full + asked * each;
  if (then > now + room) return leave({false, static_cast<std::uint64_t>(then - now - room)});
  std::string content;
  append(content, then);
  return keep(Form::bucket, WallTime(milliseconds(then)), std::move(content),
              {true, static_cast<std::uint64_t>((now + room - then) / each)});
}

Applied compare_and_set(const Update& update, const Entry* current) {
  const bool is_value = current && current->form == Form::value;
  const bool same = update.expected ? is_value && current->content == *update.expected : !is_value;
  if (!same) return leave({false, 0});
  if (!update.value) return {current != nullptr, {}, {}};
  return keep(Form::value, update.now + update.lifetime, *update.value);
}

struct Places {
  Owner owner;
  std::uint64_t taken;
};

std::vector<Places> living_places(const Entry* current, const Living& living) {
  std::vector<Places> all;
  if (!current || current->form != Form::places) return all;
  Places places{};
  for (std::size_t at = 0; read(current->content, at, places); at += sizeof places)
    if (living.alive(places.owner)) all.push_back(places);
  return all;
}

std::uint64_t sum(const std::vector<Places>& all) {
  std::uint64_t taken = 0;
  for (const Places& places : all) taken += places.taken;
  return taken;
}

Applied keep_places(const std::vector<Places>& all, WallTime now) {
  const Outcome outcome{true, sum(all)};
  if (all.empty()) return {true, {}, outcome};
  std::string content;
  for (const Places& places : all) append(content, places);
  return keep(Form::places, now + review_interval, std::move(content), outcome);
}

Applied change_places(const Update& update, const Entry* current, const Living& living) {
  std::vector<Places> all = living_places(current, living);
  const auto mine = std::find_if(all.begin(), all.end(),
                                 [&](const Places& p) { return p.owner == update.owner; });
  if (update.kind == Update::Kind::hold) {
    if (const std::uint64_t taken = sum(all); taken >= update.amount) return leave({false, taken});
    if (mine == all.end())
      all.push_back({update.owner, 1});
    else
      ++mine->taken;
  } else if (update.kind == Update::Kind::release) {
    if (mine == all.end()) return leave({false, sum(all)});
    if (--mine->taken == 0) all.erase(mine);
  }
  return keep_places(all, update.now);
}

Applied lease(const Update& update, const Entry* current, const Living& living) {
  Owner owner = 0;
  const bool is_let = current && current->form == Form::lease && read(current->content, 0, owner);
  if (is_let && owner != update.owner && living.alive(owner)) return leave({false, 0});
  std::string content;
  append(content, update.owner);
  return keep(Form::lease, update.now + update.lifetime, std::move(content));
}

}  // namespace

Applied apply(const Update& update, const Entry* current, const Living& living) {
  using Kind = Update::Kind;
  switch (update.kind) {
    case Kind::put:
      return keep(Form::value, update.now + update.lifetime, update.value.value_or(""));
    case Kind::erase:
      return {current != nullptr, {}, {current != nullptr, 0}};
    case Kind::count:
      return count(update, current);
    case Kind::take:
      return take(update, current);
    case Kind::compare_and_set:
      return compare_and_set(update, current);
    case Kind::hold:
    case Kind::release:
    case Kind::review:
      return change_places(update, current, living);
    case Kind::lease:
      return lease(update, current, living);
  }
  return {};
}

std::uint64_t counted(const Entry* entry, milliseconds length, WallTime now) {
  return Window::read(entry, length, now).sum();
}

std::string encode(const Entry& entry) {
  std::string octets{static_cast<char>(format), static_cast<char>(entry.form)};
  append(octets, entry.expires.time_since_epoch().count());
  return octets += entry.content;
}

std::optional<Entry> decode(std::string_view octets) {
  constexpr std::size_t head = 2 + sizeof(std::int64_t);
  if (octets.size() < head || static_cast<std::uint8_t>(octets[0]) != format) return {};
  if (std::string_view("vcbpl").find(octets[1]) == std::string_view::npos) return {};
  std::int64_t expires = 0;
  read(octets, 2, expires);
  return Entry{static_cast<Form>(octets[1]), WallTime(milliseconds(expires)),
               std::string(octets.substr(head))};
}

std::string describe(const Entry& entry) {
  switch (entry.form) {
    case Form::value:
      return entry.content;
    case Form::count: {
      Window window;
      if (!read(entry.content, 0, window)) break;
      return fmt::format("{} events", window.sum());
    }
    case Form::bucket:
      return "a token bucket, full when it expires";
    case Form::places: {
      std::uint64_t taken = 0;
      Places places{};
      for (std::size_t at = 0; read(entry.content, at, places); at += sizeof places)
        taken += places.taken;
      return fmt::format("{} places", taken);
    }
    case Form::lease:
      return "a lease";
  }
  return "?";
}

}  // namespace postern::store
