#include "fixture.hpp"

#include <postern/coro/sleep.hpp>

namespace postern::conformance {
namespace {

coro::Task<void> sleep_for(Duration time) { co_await coro::sleep(time); }
coro::Task<void> join_scope(coro::Scope& scope) { co_await scope.join(); }

}  // namespace

std::vector<Implementation>& implementations() {
  static std::vector<Implementation> all;
  return all;
}

void Fixture::settle(Duration time) { run(sleep_for(time)); }
void Fixture::settle_until(const std::function<bool()>& happened) {
  const coro::TimePoint end = scheduler().now() + patience;
  while (!happened() && scheduler().now() < end) settle(std::chrono::milliseconds(1));
}
void Fixture::join(coro::Scope& scope) { run(join_scope(scope)); }

}  // namespace postern::conformance
