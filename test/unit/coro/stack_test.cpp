// Children that finish at once must not grow the stack: run with 256 KiB of it, where a few
// thousand frames would crash. Built at -O0 and -O2: GCC 12 makes tail calls of coroutines only at
// the latter.
#include <postern/coro/event.hpp>
#include <postern/coro/group.hpp>
#include <postern/testing/sim_scheduler.hpp>

#include <pthread.h>

#include <cstdio>
#include <cstdlib>

using namespace postern;
using namespace postern::coro;

namespace {

constexpr std::uint64_t children = 1'000'000;
constexpr std::size_t stack_octets = 256 * 1024;

Task<std::uint64_t> one() { co_return 1; }

Task<std::uint64_t> await_one_by_one() {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < children; ++i) {
    const std::uint64_t result = co_await one();
    sum += result;
  }
  co_return sum;
}

Task<std::uint64_t> set_wait(Event& event) {
  auto waited = co_await event.wait();
  co_return waited ? 1 : 0;
}

Task<std::uint64_t> await_set_events() {
  Event event;
  event.set();
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < children; ++i) {
    const std::uint64_t result = co_await set_wait(event);
    sum += result;
  }
  co_return sum;
}

Task<std::uint64_t> join_group() {
  Group<std::uint64_t> group;
  for (std::uint64_t i = 0; i < children; ++i) group.add(one());
  std::uint64_t sum = 0;
  auto keep = [&](std::uint64_t result) { sum += result; };
  auto joined = co_await group.each(keep);
  co_return joined ? sum : 0;
}

// All children are woken in one turn, and finish in it.
Task<std::uint64_t> join_woken(Event& event) {
  Group<std::uint64_t> group;
  for (std::uint64_t i = 0; i < children / 10; ++i) group.add(set_wait(event));
  std::uint64_t sum = 0;
  auto keep = [&](std::uint64_t result) { sum += result; };
  auto joined = co_await group.each(keep);
  co_return joined ? sum : 0;
}

class Set final : public Job {
 public:
  explicit Set(Event& event) : event_(event) {}
  void run() override { event_.set(); }

 private:
  Event& event_;
};

void expect(const char* what, std::uint64_t got, std::uint64_t wanted) {
  std::printf("%s: %llu\n", what, static_cast<unsigned long long>(got));
  if (got == wanted) return;
  std::printf("FAILED: %llu was expected\n", static_cast<unsigned long long>(wanted));
  std::exit(1);
}

void* test(void*) {
  testing::SimScheduler sim;
  expect("awaits one after the other", sim.run(await_one_by_one()), children);
  expect("waits that need not wait", sim.run(await_set_events()), children);
  expect("children of one group", sim.run(join_group()), children);
  Event event;
  Set set(event);
  sim.post(set);
  expect("children woken in one turn", sim.run(join_woken(event)), children / 10);
  expect("frames left", live_frames(), 0);
  return nullptr;
}

}  // namespace

int main() {
  pthread_attr_t attributes;
  pthread_t thread;
  if (pthread_attr_init(&attributes) != 0 ||
      pthread_attr_setstacksize(&attributes, stack_octets) != 0 ||
      pthread_create(&thread, &attributes, test, nullptr) != 0) {
    std::puts("cannot make a thread with a small stack");
    return 1;
  }
  pthread_join(thread, nullptr);
  return 0;
}
