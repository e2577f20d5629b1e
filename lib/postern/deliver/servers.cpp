#include <postern/deliver/servers.hpp>

#include <algorithm>
#include <numeric>

namespace postern::deliver {

Servers::Servers(std::vector<Server> servers, std::size_t most) : most_(most) {
  for (Server& server : servers) all_.emplace_back(std::move(server), most);
}

// Those that are up come first, then those that have been left alone long enough, then the others:
// but while servers that are up have only no room, nobody waits for one that may be dead.
Servers::Choice Servers::choose(coro::TimePoint now) {
  Choice choice;
  std::vector<std::size_t> due, down;
  bool any_up = false;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    One& one = all_[i];
    grow(one, now);
    any_up = any_up || one.up();
    if (one.up()) {
      if (one.open < one.allowed) choice.tries.push_back(i);
    } else {
      (one.down_until <= now ? due : down).push_back(i);
    }
  }
  by_share(choice.tries);
  if (any_up) {
    for (const std::size_t i : due)
      if (!all_[i].looked_at) choice.looks.push_back(i);
  }
  const bool all_full = any_up && choice.tries.empty();
  choice.tries.insert(choice.tries.end(), due.begin(), due.end());
  if (!all_full) choice.tries.insert(choice.tries.end(), down.begin(), down.end());
  return choice;
}

// Smooth weighted round robin: each choice adds its weight to everybody's credit, and whoever has
// most goes first and pays for all. So shares hold at any time, not only in the long run.
void Servers::by_share(std::vector<std::size_t>& indexes) {
  std::int64_t sum = 0;
  for (const std::size_t i : indexes) {
    all_[i].credit += static_cast<std::int64_t>(all_[i].server.weight);
    sum += static_cast<std::int64_t>(all_[i].server.weight);
  }
  std::stable_sort(indexes.begin(), indexes.end(), [&](std::size_t a, std::size_t b) {
    const bool a_shares = all_[a].server.weight > 0, b_shares = all_[b].server.weight > 0;
    if (a_shares != b_shares) return a_shares;
    return a_shares && all_[a].credit > all_[b].credit;
  });
  if (sum > 0) all_[indexes.front()].credit -= sum;
}

std::size_t Servers::room(coro::TimePoint now) {
  std::size_t sum = 0;
  for (One& one : all_) {
    grow(one, now);
    if (one.up()) sum += one.allowed;
  }
  return sum == 0 ? most_ : std::min(sum, most_);
}

bool Servers::answered(std::size_t index, const smtp::Capabilities& offers) {
  One& one = all_[index];
  ++one.times_opened;
  one.offers = offers;
  const bool was_down = !one.up();
  one.back_off = {};
  one.down_until = {};
  return was_down;
}

void Servers::failed(std::size_t index, coro::TimePoint now) {
  One& one = all_[index];
  ++one.times_failed;
  one.back_off = one.up() ? first_back_off : std::min(2 * one.back_off, longest_back_off);
  one.down_until = now + one.back_off;
}

bool Servers::crowded(std::size_t index, coro::TimePoint now) {
  One& one = all_[index];
  const std::size_t others = one.open;  // the one that was answered so is gone
  if (others == 0) {
    failed(index, now);
    return false;
  }
  ++one.times_crowded;
  one.allowed = std::max<std::size_t>(1, std::min(one.allowed, others) / 2);
  one.grows_at = now + growth_interval;
  return true;
}

// By a tenth, or one.
void Servers::grow(One& one, coro::TimePoint now) const {
  for (; one.allowed < most_ && one.grows_at <= now; one.grows_at += growth_interval)
    one.allowed = std::min(most_, one.allowed + std::max<std::size_t>(1, one.allowed / 10));
}

std::optional<smtp::Capabilities> Servers::offers() const {
  std::optional<smtp::Capabilities> all;
  bool all_met = true;
  for (const One& one : all_) {
    all_met = all_met && one.offers;
    if (!one.offers) continue;
    all = all ? common(*all, *one.offers) : *one.offers;
  }
  if (all && !all_met) all->binarymime = all->requiretls = false;
  return all;
}

std::vector<ServerState> Servers::state(coro::TimePoint now) const {
  std::vector<ServerState> states;
  for (const One& one : all_) {
    const auto alone = std::max(one.down_until - now, coro::Duration::zero());
    states.push_back({one.server.address.text(), one.server.weight, one.up(),
                      one.up() ? coro::Duration::zero() : alone, one.open, one.allowed,
                      one.times_opened, one.times_failed, one.times_crowded});
  }
  return states;
}

smtp::Capabilities common(const smtp::Capabilities& a, const smtp::Capabilities& b) {
  smtp::Capabilities both;
  both.pipelining = a.pipelining && b.pipelining;
  both.eight_bit_mime = a.eight_bit_mime && b.eight_bit_mime;
  both.size = a.size && b.size;
  both.dsn = a.dsn && b.dsn;
  both.smtputf8 = a.smtputf8 && b.smtputf8;
  both.enhanced_status_codes = a.enhanced_status_codes && b.enhanced_status_codes;
  both.chunking = a.chunking && b.chunking;
  both.binarymime = a.binarymime && b.binarymime;
  both.starttls = a.starttls && b.starttls;
  both.prdr = a.prdr && b.prdr;
  both.requiretls = a.requiretls && b.requiretls;
  both.size_limit = a.size_limit == 0 || b.size_limit == 0 ? std::max(a.size_limit, b.size_limit)
                                                           : std::min(a.size_limit, b.size_limit);
  return both;
}

}  // namespace postern::deliver
