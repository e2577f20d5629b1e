// What a look-up costs us, without the network: nanoseconds for an answer from the cache, for one
// that a query under way brings, for a query, and for reading an answer; and what a million random
// names leave behind.
#include <postern/coro/scope.hpp>
#include <postern/dns/caching_resolver.hpp>
#include <postern/testing/sim_scheduler.hpp>

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <vector>

#include "../test/support/dns_message.hpp"

using namespace postern;
using namespace postern::dns;
namespace wire = postern::testing::wire;

namespace {

using Clock = std::chrono::steady_clock;

Octets octets_of(const std::string& message) {
  return {reinterpret_cast<const std::uint8_t*>(message.data()), message.size()};
}

std::string listed(const std::string& name) {
  return wire::Message(name, wire::a).answer(wire::a, 300, std::string("\x7f\0\0\x02", 4)).octets();
}

// Answers when it is told to, or that there is nothing, at once.
class InMemory final : public Exchange {
 public:
  std::size_t servers() const override { return 1; }
  void ask(const Question& question, std::size_t, Transport, Asker& asker) override {
    if (nothing_there)
      return asker.answered(
          octets_of(wire::Message(question.name, wire::a).code(3).negative(600, 600).octets()));
    waiting.emplace_back(question.name, &asker);
  }
  void answer() {
    for (const auto& [name, asker] : std::exchange(waiting, {}))
      asker->answered(octets_of(listed(name)));
  }
  bool nothing_there = false;
  std::vector<std::pair<std::string, Asker*>> waiting;
};

coro::Task<void> ask(Resolver& dns, std::string name) {
  const auto answer = co_await dns.a(std::move(name));
  if (!answer) std::abort();
}

coro::Task<void> ask_often(Resolver& dns, std::string name, int times) {
  for (int i = 0; i < times; ++i) {
    const auto answer = co_await dns.a(name);
    if (!answer) std::abort();
  }
}

coro::Task<void> join(coro::Scope& scope) { co_await scope.join(); }

void report(const char* what, Clock::time_point began, int times) {
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - began);
  fmt::print("{:<44}{:>8} ns\n", what, ns.count() / times);
}

struct World {
  World() {
    auto owned = std::make_unique<InMemory>();
    exchange = owned.get();
    dns = std::make_unique<CachingResolver>(sim, std::move(owned), CachingResolver::Settings());
  }
  testing::SimScheduler sim;
  InMemory* exchange = nullptr;
  std::unique_ptr<CachingResolver> dns;
};

std::string name_of(int number) { return fmt::format("{}.2.0.192.bl.example", number); }

void measure_cached(World& world) {
  constexpr int times = 1'000'000;
  coro::Scope scope(world.sim, "bench");
  scope.start(ask(*world.dns, name_of(1)));
  world.exchange->answer();
  world.sim.run(join(scope));
  const auto began = Clock::now();
  world.sim.run(ask_often(*world.dns, name_of(1), times));
  report("answered from the cache", began, times);
}

// In rounds of `names` questions that `waiters` tasks each ask at the same time.
void measure_queries(World& world, const char* what, int names, int waiters) {
  constexpr int rounds = 500;
  static int next = 1000;
  const auto began = Clock::now();
  for (int round = 0; round < rounds; ++round) {
    coro::Scope scope(world.sim, "bench");
    for (int name = 0; name < names; ++name, ++next)
      for (int i = 0; i < waiters; ++i) scope.start(ask(*world.dns, name_of(next)));
    world.exchange->answer();
    world.sim.run(join(scope));
  }
  report(what, began, rounds * names * waiters);
}

void measure_reading() {
  constexpr int times = 1'000'000;
  const std::string message = listed(name_of(1));
  const Question question{Type::a, name_of(1)};
  const auto began = Clock::now();
  for (int i = 0; i < times; ++i)
    if (!read_reply(octets_of(message), question)) std::abort();
  report("an answer read", began, times);
}

long resident_kib() {
  std::ifstream statm("/proc/self/statm");
  long size = 0, resident = 0;
  statm >> size >> resident;
  return resident * 4;
}

void measure_random_names(World& world) {
  world.exchange->nothing_there = true;
  for (int round = 0; round <= 10; ++round) {
    for (int i = 0; round > 0 && i < 100'000; ++i)
      world.sim.run(ask(*world.dns, fmt::format("{:x}.random.example", i * 10 + round)));
    if (round % 5 != 0 && round != 1) continue;
    fmt::print(
        "after {:>9} random names: {:>6} answers kept, {:>6} KiB of them, {:>6} KiB resident\n",
        round * 100'000, world.dns->cache().entries(), world.dns->cache().octets() / 1024,
        resident_kib());
  }
}

}  // namespace

int main() {
  World world;
  measure_cached(world);
  measure_queries(world, "a query of its own", 100, 1);
  measure_queries(world, "one of 100 that wait for a query", 1, 100);
  measure_reading();
  measure_random_names(world);
}
