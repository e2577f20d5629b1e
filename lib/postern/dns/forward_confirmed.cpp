#include <postern/coro/group.hpp>
#include <postern/dns/forward_confirmed.hpp>

#include <algorithm>
#include <utility>

namespace postern::dns {
namespace {

enum class Outcome { confirmed, not_confirmed, unknown };

// For one of the names: its place in the list, and what became of it.
using Checked = std::pair<std::size_t, Outcome>;

coro::Task<Checked> check(Resolver& resolver, std::size_t place, std::string name,
                          IpAddress address) {
  Result<Answer<IpAddress>> answer;
  if (address.is_v4())
    answer = co_await resolver.a(std::move(name));
  else
    answer = co_await resolver.aaaa(std::move(name));
  auto outcome = Outcome::unknown;
  if (answer) {
    const auto& records = answer->records;
    const bool found = std::find(records.begin(), records.end(), address) != records.end();
    outcome = found ? Outcome::confirmed : Outcome::not_confirmed;
  }
  co_return Checked(place, outcome);
}

}  // namespace

coro::Task<Result<ReverseDns>> reverse_dns(Resolver& resolver, IpAddress address) {
  auto pointers = co_await resolver.ptr(address);
  if (!pointers) co_return fail(pointers.error());
  ReverseDns reverse;
  reverse.names = std::move(pointers->records);
  reverse.cut = reverse.names.size() > most_ptr_names;
  if (reverse.cut) reverse.names.resize(most_ptr_names);

  coro::Group<Checked> lookups;
  for (std::size_t place = 0; place < reverse.names.size(); ++place)
    lookups.add(check(resolver, place, reverse.names[place], address));
  std::vector<Outcome> outcomes(reverse.names.size(), Outcome::unknown);
  auto keep = [&](Checked checked) { outcomes[checked.first] = checked.second; };
  const auto looked = co_await lookups.each(keep);
  if (!looked) co_return fail(looked.error());

  for (std::size_t place = 0; place < outcomes.size(); ++place) {
    if (outcomes[place] == Outcome::confirmed) reverse.confirmed.push_back(reverse.names[place]);
    if (outcomes[place] == Outcome::unknown) reverse.unsure = true;
  }
  co_return reverse;
}

}  // namespace postern::dns
