// In steady state tasks, waits and scopes allocate nothing: counted at operator new itself.
#include <postern/coro/deadline.hpp>
#include <postern/coro/event.hpp>
#include <postern/coro/scope.hpp>
#include <postern/coro/sleep.hpp>
#include <postern/testing/memory_stream.hpp>
#include <postern/testing/sim_scheduler.hpp>

#include <cstdio>
#include <cstdlib>
#include <new>

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace postern;
using namespace postern::coro;
using namespace std::chrono_literals;

namespace {

int failures = 0;

void expect(const char* what, std::size_t got, std::size_t wanted) {
  const bool right = got == wanted;
  std::printf("%s: %zu%s\n", what, got, right ? "" : " FAILED");
  if (!right) ++failures;
}

Task<Result<int>> leaf(Event& event, int n) {
  auto waited = co_await event.wait(10s);
  if (!waited) co_return fail(waited.error());
  co_return n;
}

Task<Result<int>> middle(Event& event, int n) {
  auto value = co_await within(5s, leaf(event, n));
  co_return value;
}

Task<void> session(Event& event) {
  auto value = co_await middle(event, 1);
  auto slept = co_await sleep(1ms);
  (void)value;
  (void)slept;
}

Task<void> join(Scope& scope) { co_await scope.join(); }

// A hundred sessions from beginning to end.
void work(testing::SimScheduler& sim) {
  Event event;
  Scope scope(sim, "sessions");
  for (int i = 0; i < 100; ++i) scope.start(session(event));
  event.set();
  sim.run(join(scope));
}

[[maybe_unused]] void frames_come_back() {
  void* first = allocate_frame(300);
  free_frame(first, 300);
  void* second = allocate_frame(310);  // of the same class of 64 octets
  expect("the frame that was given back is used again", second == first, 1);
  free_frame(second, 310);
  void* large = allocate_frame(100'000);
  free_frame(large, 100'000);
  expect("frames left", live_frames(), 0);
}

}  // namespace

int main() {
  testing::SimScheduler sim;
  work(sim);  // fills the pool and the timers' heap
  expect("frames left", live_frames(), 0);
#ifdef __SANITIZE_ADDRESS__
  std::puts("frames are not pooled under AddressSanitizer: nothing is counted");
#else
  const std::size_t before = allocations;
  for (int i = 0; i < 10; ++i) work(sim);
  expect("allocations in steady state", allocations - before, 0);
  frames_come_back();
#endif
  return failures == 0 ? 0 : 1;
}
