#include <postern/coro/sleep.hpp>
#include <postern/testing/memory_store.hpp>

#include <algorithm>
#include <utility>

namespace postern::testing {

using namespace store;

namespace {

constexpr const char* what = "the store of the test";

}  // namespace

WallTime MemoryStore::now() const {
  return std::chrono::time_point_cast<milliseconds>(scheduler_.wall());
}

Result<std::optional<Entry>> MemoryStore::get(std::string_view key) {
  ++reads_;
  if (error_) return fail(*error_, what);
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.expired(now())) return std::nullopt;
  return found->second;
}

Result<std::vector<Item>> MemoryStore::scan(std::string_view prefix, std::string_view after,
                                            std::size_t most) {
  ++reads_;
  if (error_) return fail(*error_, what);
  std::vector<Item> items;
  for (auto at = entries_.lower_bound(std::max(prefix, after)); at != entries_.end(); ++at) {
    const auto& [key, entry] = *at;
    if (!key.starts_with(prefix) || items.size() == most) break;
    if (!entry.expired(now()) && (after.empty() || key != after)) items.push_back({key, entry});
  }
  return items;
}

Result<Outcome> MemoryStore::hand_over(std::string_view key, Update update) {
  if (key.empty() || key.size() > max_key_octets ||
      (update.value && update.value->size() > max_value_octets))
    return fail(Errc::too_long, what);
  if (error_) return fail(*error_, what);
  ++updates_;
  update.now = now();
  update.owner = me;
  const auto found = entries_.find(key);
  const bool counts = found != entries_.end() && !found->second.expired(update.now);
  Applied applied = apply(update, counts ? &found->second : nullptr, *this);
  if (applied.changed && applied.entry)
    entries_.insert_or_assign(std::string(key), std::move(*applied.entry));
  else if (applied.changed && found != entries_.end())
    entries_.erase(found);
  return applied.outcome;
}

// It takes a turn, as on the disk: whoever is stopped meanwhile has changed it even so, but for a
// place, which nobody would give back.
coro::Task<Result<Outcome>> MemoryStore::settle(std::string key, Update update) {
  const bool holds = update.kind == Update::Kind::hold;
  const auto outcome = hand_over(key, std::move(update));
  const auto slept = co_await coro::sleep(coro::Duration::zero());
  if (slept || !outcome) co_return outcome;
  Update release;
  release.kind = Update::Kind::release;
  if (holds && outcome->done) (void)hand_over(key, std::move(release));
  co_return fail(slept.error());
}

StoreState MemoryStore::state() const {
  StoreState state;
  state.usable = !error_;
  state.entries = entries_.size();
  return state;
}

}  // namespace postern::testing
