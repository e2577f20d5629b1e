#include <postern/coro/timer_queue.hpp>
#include <postern/testing/random.hpp>

#include <algorithm>
#include <deque>
#include <set>

#include "catch.hpp"

using namespace postern::coro;
using postern::testing::Random;

namespace {

class Numbered final : public Timer {
 public:
  explicit Numbered(std::uint64_t n) : number(n) {}
  void fire() override {}
  std::uint64_t number;
  std::uint64_t armed_as = 0;  // the order of arming, for the reference
};

// (due, order of arming), as a set keeps it.
using Key = std::pair<TimePoint, std::uint64_t>;

}  // namespace

TEST_CASE("TimerQueue: is an ordered set of (time, order of arming), whatever happens",
          "[coro][timer]") {
  const auto seed = GENERATE(range(1u, 21u));
  const auto distinct_times = GENERATE(1u, 8u, 1000u);
  CAPTURE(seed, distinct_times);
  Random dice(seed);
  std::deque<Numbered> timers;
  for (std::uint64_t i = 0; i < 300; ++i) timers.emplace_back(i);
  TimerQueue queue;
  std::set<Key> reference;
  std::uint64_t armings = 0;
  bool same = true;

  const auto remove = [&](Numbered& timer) {
    if (timer.armed()) reference.erase({timer.due(), timer.armed_as});
    queue.remove(timer);
  };
  for (int step = 0; step < 5000 && same; ++step) {
    Numbered& timer = timers[dice.below(timers.size())];
    if (dice.below(3) == 0) {
      remove(timer);
    } else {
      remove(timer);
      const TimePoint due{Duration(static_cast<Duration::rep>(dice.below(distinct_times)))};
      timer.armed_as = ++armings;
      queue.insert(timer, due);
      reference.insert({due, timer.armed_as});
    }
    const auto* first = static_cast<const Numbered*>(queue.first());
    same = queue.size() == reference.size() && (first == nullptr) == reference.empty() &&
           (!first || Key{first->due(), first->armed_as} == *reference.begin());
  }
  CHECK(same);

  for (const Key& key : reference) {
    auto* first = static_cast<Numbered*>(queue.first());
    REQUIRE(first != nullptr);
    CHECK(Key{first->due(), first->armed_as} == key);
    queue.remove(*first);
    CHECK_FALSE(first->armed());
  }
  CHECK(queue.first() == nullptr);
  CHECK(std::none_of(timers.begin(), timers.end(), [](const Timer& t) { return t.armed(); }));
}
