#include <postern/session/splits.hpp>

#include <functional>

namespace postern::session {
namespace {

void mix(std::uint64_t& hash, std::string_view text) {
  hash = (hash ^ std::hash<std::string_view>()(text)) * 0x9e3779b97f4a7c15u;
}

}  // namespace

std::uint64_t Splits::key(const IpAddress& client, std::string_view reverse_path,
                          std::string_view recipient) {
  const std::size_t network = client.is_v4() ? 15 : 8;  // a /24, a /64
  std::uint64_t hash = 0;
  mix(hash, {reinterpret_cast<const char*>(client.octets().data()), network});
  mix(hash, reverse_path);
  mix(hash, recipient);
  return hash;
}

void Splits::remember(std::uint64_t key, std::uint64_t outcome, coro::TimePoint now) {
  const auto [place, is_new] = known_.insert_or_assign(key, Known{outcome, now + lifetime});
  if (!is_new) return;
  order_.push_back(key);
  if (order_.size() <= most) return;
  known_.erase(order_.front());
  order_.pop_front();
}

std::optional<std::uint64_t> Splits::outcome_of(std::uint64_t key, coro::TimePoint now) const {
  const auto found = known_.find(key);
  if (found == known_.end() || found->second.until < now) return {};
  return found->second.outcome;
}

}  // namespace postern::session
