// What the plugin contract costs: a hook that nobody uses, a decision at once, a judgement, a
// finding. Nanoseconds each, and coroutine frames and allocations where there are any.
#include <postern/plugin.hpp>
#include <postern/session/hearing.hpp>
#include <postern/testing/harness.hpp>

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <string_view>

namespace {

std::atomic<std::size_t> allocations{0};

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* octets = std::malloc(size)) return octets;
  throw std::bad_alloc();
}
void operator delete(void* octets) noexcept { std::free(octets); }
void operator delete(void* octets, std::size_t) noexcept { std::free(octets); }

namespace postern::plugins {
namespace {

class Decider final : public PluginOf<Decider> {
 public:
  void setup(Hooks& hooks) override { hooks.on_noop(this, &Decider::decide); }

 private:
  Verdict decide(Command&) { return Verdict::next(); }
};

struct Found : Fact<"bench.found", 1> {
  std::size_t number = 1;
};

class Finder final : public PluginOf<Finder> {
 public:
  void setup(Hooks& hooks) override { hooks.on_connect(this, &Finder::look).judge(&Finder::judge); }

 private:
  Task<Found> look(Session& session) {
    auto turn = co_await coro::sleep(0ms);
    Found found;
    found.number = turn && session.may_relay() ? 2 : 1;
    co_return found;
  }
  Verdict judge(const Found& found, const Settings&) const {
    return found.number == 1 ? Verdict::next() : Verdict::accept();
  }
};

}  // namespace
}  // namespace postern::plugins

namespace {

using namespace postern;
using Clock = std::chrono::steady_clock;

// The best of some rounds: the machine's own noise only adds.
template <typename Work>
double nanoseconds(std::size_t times, Work&& work) {
  double best = 1e18;
  for (int round = 0; round < 7; ++round) {
    const auto begun = Clock::now();
    for (std::size_t i = 0; i < times; ++i) work();
    const std::chrono::duration<double, std::nano> took = Clock::now() - begun;
    best = std::min(best, took.count() / static_cast<double>(times));
  }
  return best;
}

// A session's hooks without the session.
struct Stage {
  explicit Stage(int deciders, bool finder) {
    harness.add<plugins::Decider>("decider");
    harness.add<plugins::Finder>("finder");
    for (int i = 0; i < deciders; ++i)
      harness.load("decider", fmt::format("name = \"decider:n{}\"", i));
    if (finder) harness.load("finder");
    stream = harness.connect();
    services = &harness.services();
    client.remote = {IpAddress::v4({192, 0, 2, 1}), 4000};
  }

  testing::Harness harness;
  net::StreamPtr stream;
  session::Services* services = nullptr;
  deliver::Client client;
};

double noop(int deciders) {
  Stage stage(deciders, false);
  coro::Context context(stage.harness.sim, "bench");
  session::Hearing hearing(*stage.services, context, stage.client, *stage.stream, "bench");
  const auto parsed = smtp::parse_command("NOOP");
  plugin::Command command(hearing.session(), *parsed);
  return nanoseconds(200'000, [&] { hearing.command(plugin::Hook::noop, command); });
}

// From connect to the judgement of one finding that waits for a turn of the loop.
struct FindingCost {
  double ns = 0;
  std::size_t frames = 0;
  double allocations = 0;
};
FindingCost finding(bool with) {
  Stage stage(0, with);
  FindingCost cost;
  std::size_t count = 0;
  const std::size_t before = allocations;
  cost.ns = nanoseconds(20'000, [&] {
    ++count;
    coro::Context context(stage.harness.sim, "bench");
    session::Hearing hearing(*stage.services, context, stage.client, *stage.stream, "bench");
    const std::size_t frames = coro::live_frames();
    hearing.connect();
    cost.frames = coro::live_frames() - frames;
    while (hearing.session().tasks() > 0) stage.harness.sim.run_turn();
    hearing.stop();
  });
  cost.allocations = static_cast<double>(allocations - before) / static_cast<double>(count);
  return cost;
}

}  // namespace

int main() {
  const double unused = noop(0), one = noop(1), eleven = noop(11);
  fmt::print("a decision hook that nobody uses   {:7.1f} ns\n", unused);
  fmt::print("the first plain decision           {:7.1f} ns   (the step itself included)\n",
             one - unused);
  fmt::print("each further plain decision        {:7.1f} ns   (target 50)\n", (eleven - one) / 10);
  const FindingCost none = finding(false), some = finding(true);
  fmt::print("a finding, a turn and a judgement  {:7.1f} ns   {} frame, {:.1f} allocations\n",
             some.ns - none.ns, some.frames, some.allocations - none.allocations);
  return 0;
}
