#include <postern/session/remembered.hpp>

#include <functional>

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

void Remembered::remember(std::uint64_t key, std::uint64_t value, coro::TimePoint now) {
  const auto [place, is_new] = known_.insert_or_assign(key, Known{value, now + lifetime_});
  if (!is_new) return;
  order_.push_back(key);
  if (order_.size() <= most) return;
  known_.erase(order_.front());
  order_.pop_front();
}

std::optional<std::uint64_t> Remembered::find(std::uint64_t key, coro::TimePoint now) const {
  const auto found = known_.find(key);
  if (found == known_.end() || found->second.until < now) return {};
  return found->second.value;
}

}  // namespace postern::session
