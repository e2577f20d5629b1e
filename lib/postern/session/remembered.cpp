#include <postern/session/remembered.hpp>
#include <postern/store/state.hpp>

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <functional>
#include <string>

namespace postern::session {

std::uint64_t hash(std::uint64_t before, std::string_view octets) {
  return (before ^ std::hash<std::string_view>()(octets)) * 0x9e3779b97f4a7c15u;
}

std::uint64_t who_to_whom(const IpAddress& client, std::string_view reverse_path,
                          std::string_view recipient) {
  const std::size_t network = client.is_v4() ? 15 : 8;  // a /24, a /64
  const std::uint64_t from =
      hash(0, {reinterpret_cast<const char*>(client.octets().data()), network});
  return hash(hash(from, reverse_path), recipient);
}

std::uint64_t message_to(std::uint64_t content, std::string_view reverse_path,
                         std::string_view recipient) {
  return hash(hash(content, reverse_path), recipient);
}

namespace {

std::string name_of(std::uint64_t key) { return fmt::format("{:016x}", key); }

std::optional<std::uint64_t> number_in(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

}  // namespace

void Remembered::remember(store::Store& store, std::uint64_t key, std::uint64_t value,
                          coro::TimePoint now) {
  // A store that cannot take it leaves it to the memory.
  (void)store::State(store, space_)
      .put(name_of(key), std::to_string(value),
           std::chrono::ceil<std::chrono::milliseconds>(lifetime_));
  const auto [place, is_new] = known_.insert_or_assign(key, Known{value, now + lifetime_});
  if (!is_new) return;
  order_.push_back(key);
  if (order_.size() <= most) return;
  known_.erase(order_.front());
  order_.pop_front();
}

std::optional<std::uint64_t> Remembered::find(store::Store& store, std::uint64_t key,
                                              coro::TimePoint now) const {
  const auto found = known_.find(key);
  if (found != known_.end() && found->second.until >= now) return found->second.value;
  const auto stored = store::State(store, space_).get(name_of(key));
  if (!stored || !*stored) return {};
  return number_in(**stored);
}

}  // namespace postern::session
