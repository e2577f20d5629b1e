#include <postern/coro/sleep.hpp>

#include <deque>

#include "catch.hpp"
#include "fixture.hpp"

using namespace postern;
using namespace postern::coro;
using namespace postern::conformance;
using namespace std::chrono_literals;

namespace {

// Notes its name when it runs, and posts the next one, if there is one.
class Note final : public Job {
 public:
  Note(Scheduler& scheduler, std::string& order, char name, Note* next = nullptr)
      : scheduler_(scheduler), order_(order), name_(name), next_(next) {}
  void run() override {
    order_ += name_;
    if (next_) scheduler_.post(*next_);
    if (next_) CHECK(order_.back() == name_);  // not from inside post()
  }

 private:
  Scheduler& scheduler_;
  std::string& order_;
  char name_;
  Note* next_;
};

class Bell final : public Timer {
 public:
  Bell(Scheduler& scheduler, std::string& order, char name)
      : scheduler_(scheduler), order_(order), name_(name) {}
  ~Bell() { scheduler_.disarm(*this); }
  void fire() override {
    order_ += name_;
    rang_at = scheduler_.now();
    if (disarms) scheduler_.disarm(*disarms);
    if (again > 0) {
      --again;
      scheduler_.arm(*this, scheduler_.now() + 1ms);
    }
  }
  TimePoint rang_at{};
  Bell* disarms = nullptr;
  int again = 0;

 private:
  Scheduler& scheduler_;
  std::string& order_;
  char name_;
};

Task<void> watch_time(bool& went_back) {
  Context* context = co_await current_context();
  Scheduler& scheduler = context->scheduler();
  TimePoint last = scheduler.now();
  auto last_wall = scheduler.wall();
  for (int i = 0; i < 20; ++i) {
    const Duration pause = i % 2 == 0 ? 0ms : 1ms;
    co_await sleep(pause);
    if (scheduler.now() < last || scheduler.wall() + 1s < last_wall) went_back = true;
    last = scheduler.now();
    last_wall = scheduler.wall();
  }
}

}  // namespace

TEST_CASE("Scheduler: jobs run later, in the order in which they were posted",
          "[conformance][scheduler]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  std::string order;
  Note a(fixture.scheduler(), order, 'a');
  Note b(fixture.scheduler(), order, 'b');
  Note c(fixture.scheduler(), order, 'c');
  fixture.scheduler().post(b);
  fixture.scheduler().post(c);
  fixture.scheduler().post(a);
  CHECK(order.empty());
  fixture.settle();
  CHECK(order == "bca");
}

TEST_CASE("Scheduler: what a job posts comes after all that was posted before",
          "[conformance][scheduler]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  std::string order;
  Note last(fixture.scheduler(), order, 'z');
  Note second(fixture.scheduler(), order, 'y', &last);
  Note first(fixture.scheduler(), order, 'x', &second);
  Note beside(fixture.scheduler(), order, 'b');
  fixture.scheduler().post(first);
  fixture.scheduler().post(beside);
  fixture.settle();
  CHECK(order == "xbyz");
}

TEST_CASE("Scheduler: a job that goes is taken back", "[conformance][scheduler]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  std::string order;
  Note stays(fixture.scheduler(), order, 's');
  {
    Note goes(fixture.scheduler(), order, 'g');
    fixture.scheduler().post(goes);
  }
  fixture.scheduler().post(stays);
  fixture.settle();
  CHECK(order == "s");
}

TEST_CASE("Scheduler: timers fire in the order of their time, then of arming",
          "[conformance][scheduler]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  Scheduler& scheduler = fixture.scheduler();
  std::string order;
  Bell a(scheduler, order, 'a');
  Bell b(scheduler, order, 'b');
  Bell c(scheduler, order, 'c');
  Bell d(scheduler, order, 'd');
  const TimePoint start = scheduler.now();
  scheduler.arm(a, start + 9ms);
  scheduler.arm(b, start + 3ms);
  scheduler.arm(c, start + 3ms);
  scheduler.arm(d, start);  // due now: all the same in a later turn
  CHECK(order.empty());
  fixture.settle(20ms);
  CHECK(order == "dbca");
  CHECK(a.rang_at >= start + 9ms);
  CHECK(b.rang_at >= start + 3ms);
  CHECK_FALSE(a.armed());
}

TEST_CASE("Scheduler: a timer that is disarmed does not fire", "[conformance][scheduler]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  Scheduler& scheduler = fixture.scheduler();
  std::string order;
  Bell a(scheduler, order, 'a');
  Bell b(scheduler, order, 'b');
  Bell c(scheduler, order, 'c');
  const TimePoint start = scheduler.now();
  scheduler.arm(a, start + 1ms);
  scheduler.arm(b, start + 2ms);
  scheduler.arm(c, start + 2ms);
  scheduler.disarm(a);
  scheduler.disarm(a);  // twice is nothing
  b.disarms = &c;       // due in the same turn
  fixture.settle(20ms);
  CHECK(order == "b");
}

TEST_CASE("Scheduler: arming an armed timer moves it", "[conformance][scheduler]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  Scheduler& scheduler = fixture.scheduler();
  std::string order;
  Bell a(scheduler, order, 'a');
  Bell b(scheduler, order, 'b');
  Bell c(scheduler, order, 'c');
  const TimePoint start = scheduler.now();
  scheduler.arm(a, start + 1ms);
  scheduler.arm(b, start + 5ms);
  scheduler.arm(c, start + 1h);
  scheduler.arm(a, start + 9ms);  // later
  scheduler.arm(c, start + 2ms);  // earlier
  fixture.settle(25ms);
  CHECK(order == "cba");
  CHECK(a.rang_at >= start + 9ms);
}

TEST_CASE("Scheduler: a timer may arm itself again as it fires", "[conformance][scheduler]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  std::string order;
  Bell a(fixture.scheduler(), order, 'a');
  a.again = 3;
  fixture.scheduler().arm(a, fixture.scheduler().now());
  fixture.settle_until([&] { return order.size() >= 4; });
  fixture.settle();
  CHECK(order == "aaaa");
}

TEST_CASE("Scheduler: time never goes back", "[conformance][scheduler]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  bool went_back = false;
  fixture.run(watch_time(went_back));
  CHECK_FALSE(went_back);
}

namespace {

// Holds the loop from inside the callback of a read, past the time of a timer.
Task<void> hold_loop(net::Stream& stream, Duration time) {
  auto more = co_await stream.more(patience);
  CHECK(more);
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until) continue;
  co_await sleep(1ms);
}

}  // namespace

TEST_CASE("Scheduler: a timer that comes due while a task holds the loop fires",
          "[conformance][scheduler]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  auto [ours, theirs] = fixture.streams();
  std::string order;
  Bell a(fixture.scheduler(), order, 'a');
  fixture.scheduler().arm(a, fixture.scheduler().now() + 4ms);
  theirs->write("x");
  fixture.run(hold_loop(*ours, 8ms));
  fixture.settle(10ms);
  CHECK(order == "a");
}
