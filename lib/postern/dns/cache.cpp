#include <postern/dns/cache.hpp>

#include <algorithm>

namespace postern::dns {
namespace {

// List and table nodes, the shared outcome's block, the allocator's share of each.
constexpr std::size_t overhead = 200;

std::size_t octets_of_entry(const Question& question, const Outcome& outcome) {
  const std::size_t names = 2 * (sizeof(Question) + question.name.capacity());
  const std::size_t value = outcome ? octets_of(*outcome) : outcome.error().text.capacity();
  return overhead + names + value;
}

}  // namespace

std::chrono::seconds lifetime(const Outcome& outcome) {
  if (outcome)
    return std::min(ttl_of(*outcome), is_negative(*outcome) ? most_negative_ttl : most_ttl);
  const Errc code = outcome.error().code;
  return code == Errc::servfail || code == Errc::malformed ? failure_ttl : std::chrono::seconds(0);
}

std::optional<Cache::Found> Cache::find(const Question& question, TimePoint now) {
  const auto place = places_.find(question);
  if (place == places_.end()) return {};
  const auto entry = place->second;
  if (entry->expires <= now) {
    erase(entry);
    return {};
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return Found{entry->outcome,
               std::chrono::duration_cast<std::chrono::seconds>(entry->expires - now)};
}

void Cache::keep(const Question& question, SharedOutcome outcome, TimePoint now) {
  const std::chrono::seconds ttl = lifetime(*outcome);
  const auto old = places_.find(question);
  if (old != places_.end()) erase(old->second);
  const std::size_t octets = octets_of_entry(question, *outcome);
  if (ttl <= std::chrono::seconds(0) || octets > limits_.octets || limits_.entries == 0) return;
  while (octets_ + octets > limits_.octets || entries_.size() == limits_.entries)
    erase(std::prev(entries_.end()));
  entries_.push_front(Entry{question, std::move(outcome), now + ttl, octets});
  places_.emplace(question, entries_.begin());
  octets_ += octets;
}

void Cache::erase(Entries::iterator entry) {
  octets_ -= entry->octets;
  places_.erase(entry->question);
  entries_.erase(entry);
}

}  // namespace postern::dns
