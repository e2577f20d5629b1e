// disposable: addresses that a user makes up on the spot, and that end by themselves.
//
//   shop.5.anna@example.net, anna.5.count@example.net, anna.count.5@example.net: five messages
//   anna.before.20270310@example.net, anna.before.10mar@example.net: until that day
//
// In the store, for each such address: "used ADDRESS" is counted; "place ADDRESS" is held while a
// message is on its way; "until ADDRESS" is the day of one that names no year.
#include <postern/plugin.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <map>
#include <optional>

namespace postern::plugins {
namespace {

using Day = std::chrono::sys_days;

// What an address says of itself.
struct Disposable {
  std::string_view user;
  std::uint64_t count = 0;  // where it has no date
  std::string_view date;

  static std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t n = 0;
    const char* const end = text.data() + text.size();
    const auto [behind, error] = std::from_chars(text.data(), end, n);
    if (error != std::errc() || behind != end || text.size() > 6) return {};
    return n;
  }

  // `local` in lower case.
  static std::optional<Disposable> parse(std::string_view local) {
    const auto last = local.rfind('.');
    if (last == local.npos || last == 0) return {};
    const auto middle = local.rfind('.', last - 1);
    if (middle == local.npos || middle == 0) return word_first(local);
    const std::string_view user = local.substr(0, middle);
    const std::string_view second = local.substr(middle + 1, last - middle - 1);
    const std::string_view third = local.substr(last + 1);
    if (second == "before") return Disposable{user, 0, third};
    const auto n = third == "count"    ? number(second)
                   : second == "count" ? number(third)
                                       : std::nullopt;
    if (n) return Disposable{user, *n, {}};
    return word_first(local);
  }
  static std::optional<Disposable> word_first(std::string_view local) {
    const auto first = local.find('.');
    const auto second = local.find('.', first + 1);
    if (first == 0 || first == local.npos || second == local.npos) return {};
    const auto n = number(local.substr(first + 1, second - first - 1));
    const std::string_view user = local.substr(second + 1);
    if (!n || user.empty()) return {};
    return Disposable{user, *n, {}};
  }
};

// "20270310".
std::optional<Day> parse_day(std::string_view text) {
  if (text.size() != 8) return {};
  const auto year = Disposable::number(text.substr(0, 4));
  const auto month = Disposable::number(text.substr(4, 2));
  const auto day = Disposable::number(text.substr(6));
  if (!year || !month || !day) return {};
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  return date.ok() ? std::optional<Day>(date) : std::nullopt;
}

// "10mar": the next one that begins after `now`.
std::optional<Day> next_day(std::string_view text, Day now) {
  constexpr std::array<std::string_view, 12> names{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
  if (text.size() < 4 || text.size() > 5) return {};
  const auto month = std::find(names.begin(), names.end(), text.substr(text.size() - 3));
  const auto day = Disposable::number(text.substr(0, text.size() - 3));
  if (month == names.end() || !day) return {};
  const auto year = std::chrono::year_month_day(now).year();
  for (const std::chrono::year each : {year, year + std::chrono::years(1)}) {
    const std::chrono::year_month_day date(
        each, std::chrono::month(static_cast<unsigned>(month - names.begin()) + 1),
        std::chrono::day(static_cast<unsigned>(*day)));
    if (date.ok() && Day(date) > now) return Day(date);
  }
  return {};
}

class DisposableAddresses final : public PluginOf<DisposableAddresses> {
 public:
  static constexpr const char* summary =
      "Takes mail to addresses that users make up, so many times or until a day.";
  struct Settings {
    AddressList users;
    AddressList trusted;
    std::size_t most = 20;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key(
            "users", &Settings::users,
            "who may have such addresses: anna@example.net, or @example.net for all there; mail to "
            "shop.5.anna@example.net is for anna@example.net")
        .required()
        .per_domain();
    schema
        .key("trusted", &Settings::trusted,
             "senders whose mail is always taken, and does not count")
        .per_domain();
    schema.key("most", &Settings::most, "a higher number in an address counts as this")
        .at_least(1)
        .at_most(999'999)
        .per_domain();
  }
  void setup(Hooks& hooks) override {
    hooks.on_rcpt(this, &DisposableAddresses::decide);
    hooks.on_accepted(this, &DisposableAddresses::count);
    hooks.on_tick(this, &DisposableAddresses::sweep);
  }

 private:
  // While his message is on its way its place is taken.
  struct Held : Fact<> {
    Place place;
  };
  struct Use {
    std::string address;
    std::string user;
    std::chrono::system_clock::time_point since = std::chrono::system_clock::time_point::max();
  };

  Task<Verdict> decide(Recipient& to) {
    const auto wanted = Disposable::parse(to.local_part());
    if (!wanted || !settings(to).users.contains(wanted->user, to.domain()))
      co_return Verdict::next();
    const std::string user = fmt::format("{}@{}", wanted->user, to.domain());
    to.rewrite({smtp::Path{user, std::string(wanted->user), std::string(to.domain())}});
    if (settings(to).trusted.contains(to.transaction().reverse_path())) co_return Verdict::accept();
    const State known = state();
    if (!wanted->date.empty()) co_return judge_date(to, wanted->date);
    const std::uint64_t most = std::min<std::uint64_t>(wanted->count, settings(to).most);
    const std::string address(to.key());
    const auto used = known.counted("used " + address, idle);
    if (!used) co_return Verdict::failed(used.error());
    if (*used >= most) co_return expired();
    const std::string place = "place " + address;
    const std::uint64_t left = most - *used;
    auto held = co_await known.hold(place, left);
    if (!held) co_return Verdict::failed(held.error());
    if (!*held)
      co_return Verdict::defer({4, 2, 1}, "The last message to this address is on its way");
    to.facts().mine<Held>().place = std::move(*held);
    uses_.emplace(to.transaction().id(), Use{address, user});
    co_return Verdict::accept();
  }

  Verdict judge_date(Recipient& to, std::string_view date) {
    const State known = state();
    const Day today = std::chrono::floor<std::chrono::days>(known.now());
    auto until = parse_day(date);
    if (!until) {
      const std::string key = fmt::format("until {}", to.key());
      const auto found = known.get(key);
      if (!found) return Verdict::failed(found.error());
      until = *found ? parse_day(**found) : next_day(date, today);
      if (!until) return Verdict::next();  // no date: an address like any other
      if (!*found) (void)known.put(key, text_of(*until), idle);
    }
    return today < *until ? Verdict::accept() : expired();
  }

  // Only what was handed over counts.
  void count(Accepted message) {
    const auto [begin, end] = uses_.equal_range(message.transaction);
    for (auto use = begin; use != end; ++use) {
      const auto& taken = message.recipients;
      if (std::find(taken.begin(), taken.end(), use->second.user) != taken.end())
        (void)state().count("used " + use->second.address, idle);
    }
    uses_.erase(begin, end);
  }

  // Transactions that came to nothing.
  void sweep(Tick tick) {
    for (auto& [transaction, use] : uses_) use.since = std::min(use.since, tick.when);
    std::erase_if(uses_, [&](const auto& each) { return each.second.since < tick.when - 24h; });
  }

  static std::string text_of(Day day) {
    const std::chrono::year_month_day date(day);
    return fmt::format("{:04}{:02}{:02}", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  }
  static Verdict expired() { return Verdict::reject({5, 1, 6}, "Address expired"); }

  static constexpr auto idle = std::chrono::milliseconds(2 * 365 * 24h);

  std::multimap<std::string, Use> uses_;  // by transaction
};

}  // namespace

POSTERN_PLUGIN(DisposableAddresses, "disposable")

}  // namespace postern::plugins
