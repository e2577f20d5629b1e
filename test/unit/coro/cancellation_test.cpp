// What a stop leaves behind, row by row.
#include <postern/coro/deadline.hpp>
#include <postern/coro/event.hpp>
#include <postern/coro/sleep.hpp>
#include <postern/coro/slots.hpp>
#include <postern/testing/memory_files.hpp>
#include <postern/testing/memory_stream.hpp>
#include <postern/testing/sim_network.hpp>

#include "catch.hpp"
#include "outcome.hpp"

using namespace postern;
using namespace postern::coro;
using namespace postern::testing;
using namespace std::chrono_literals;

namespace {

Task<Result<std::string>> read_some(net::Stream& stream) {
  auto more = co_await stream.more(forever);
  if (!more) co_return fail(more.error());
  std::string octets(stream.input());
  stream.consume(octets.size());
  co_return octets;
}

Task<Result<void>> wait_for_more(net::Stream& stream) {
  auto more = co_await stream.more(forever);
  co_return more;
}

Task<Result<void>> send_all(net::Stream& stream, std::string octets) {
  stream.write(octets);
  auto flushed = co_await stream.flush(forever);
  co_return flushed;
}

Task<Result<void>> sleep_for(Duration duration) {
  auto slept = co_await sleep(duration);
  co_return slept;
}

Task<Result<void>> wait_for(Event& event) {
  auto waited = co_await event.wait();
  co_return waited;
}

Task<void> nothing() { co_return; }

Task<void> sync_root(MemoryFiles& files) {
  auto synced = co_await files.sync_directory("/");
  CHECK(synced);
}

Task<Result<Slot>> take_slot(Slots& slots) {
  auto slot = co_await slots.acquire();
  co_return slot;
}

}  // namespace

TEST_CASE("stop: a read leaves the unread octets and a usable stream", "[coro][cancel]") {
  SimScheduler sim;
  auto [ours, theirs] = make_stream_pair(sim);
  theirs->write("early");
  sim.run_until_idle();
  REQUIRE(ours->input() == "early");

  Scope scope(sim, "reader");
  Outcome<Result<void>> read;
  scope.start(keep(wait_for_more(*ours), read));
  sim.run_for(1s);
  CHECK_FALSE(read.value);
  scope.stop(Errc::cancelled);
  CHECK_FALSE(read.value);  // a stop posts, it does not resume
  sim.run(join(scope));
  CHECK(read.is(Errc::cancelled));
  CHECK(ours->input() == "early");

  theirs->write(" late");
  sim.run_until_idle();
  CHECK(ours->input() == "early late");
  ours->consume(10);
  theirs->write("again");
  const auto again = sim.run(read_some(*ours));
  REQUIRE(again);
  CHECK(*again == "again");
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("stop: a write leaves its octets with the stream, which sends them on",
          "[coro][cancel]") {
  SimScheduler sim;
  auto [ours, theirs] = make_stream_pair(sim, {.window = 100'000});
  const std::string octets(300'000, 'x');
  Scope scope(sim, "writer");
  Outcome<Result<void>> write;
  scope.start(keep(send_all(*ours, octets), write));
  sim.run_for(1s);
  CHECK_FALSE(write.value);
  CHECK(ours->unsent() > 0);
  scope.stop(Errc::cancelled);
  sim.run(join(scope));
  CHECK(write.is(Errc::cancelled));

  std::size_t arrived = 0;
  for (int reads = 0; arrived < octets.size() && reads < 100; ++reads) {
    arrived += theirs->input().size();
    theirs->consume(theirs->input().size());
    sim.run_for(1s);
  }
  CHECK(arrived == octets.size());
  CHECK(ours->unsent() == 0);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("stop: a connect leaves no connection", "[coro][cancel]") {
  SimScheduler sim;
  SimNetwork network(sim, {.latency = 10ms});
  const SocketAddress address{IpAddress::v4({192, 0, 2, 1}), 25};
  std::size_t accepted = 0;
  network.listen(address, [&](net::StreamPtr) {
    ++accepted;
    return nothing();
  });
  Scope scope(sim, "client");
  Outcome<Result<net::StreamPtr>> connect;
  scope.start(keep(network.connect(address, forever), connect));
  sim.run_for(5ms);
  scope.stop(Errc::cancelled);
  sim.run(join(scope));
  CHECK(connect.is(Errc::cancelled));
  CHECK(sim.elapsed() == 5ms);
  sim.run_until_idle();
  CHECK(accepted == 0);
  CHECK(network.attempts(address) == 1);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("stop: a sleep leaves no timer", "[coro][cancel]") {
  SimScheduler sim;
  Scope scope(sim, "sleeper");
  Outcome<Result<void>> slept;
  scope.start(keep(sleep_for(1h), slept));
  scope.stop(Errc::cancelled);
  sim.run(join(scope));
  CHECK(slept.is(Errc::cancelled));
  sim.run_until_idle();
  CHECK(sim.elapsed() == 0s);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("stop: an event leaves no waiter", "[coro][cancel]") {
  SimScheduler sim;
  Event event;
  Scope scope(sim, "waiter");
  Outcome<Result<void>> waited;
  scope.start(keep(wait_for(event), waited));
  scope.stop(Errc::cancelled);
  event.set();  // too late: the stop was first
  sim.run(join(scope));
  CHECK(waited.is(Errc::cancelled));
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("stop: comes too late for an event that was set in the same turn", "[coro][cancel]") {
  SimScheduler sim;
  Event event;
  Scope scope(sim, "waiter");
  Outcome<Result<void>> waited;
  scope.start(keep(wait_for(event), waited));
  event.set();
  scope.stop(Errc::cancelled);
  sim.run(join(scope));
  CHECK(waited.ok());
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("stop: a slot that was waited for goes to the next in the queue", "[coro][cancel]") {
  SimScheduler sim;
  Slots slots(1);
  Slot held = *sim.run(take_slot(slots));
  Scope first(sim, "first");
  Scope second(sim, "second");
  Outcome<Result<Slot>> one;
  Outcome<Result<Slot>> two;
  first.start(keep(take_slot(slots), one));
  second.start(keep(take_slot(slots), two));
  first.stop(Errc::cancelled);
  held.release();
  sim.run(join(first));
  sim.run(join(second));
  CHECK(one.is(Errc::cancelled));
  CHECK(two.ok());
  CHECK(slots.free() == 0);
  two.value.reset();
  CHECK(slots.free() == 1);
  CHECK(sim.live_tasks() == 0);
}

namespace {

// Like a session that asks for a slot and, being stopped meanwhile, does nothing with it.
Task<Result<void>> use_slot(Slots& slots) {
  auto slot = co_await slots.acquire();
  if (!slot) co_return fail(slot.error());
  auto slept = co_await sleep(1h);
  co_return slept;
}

}  // namespace

TEST_CASE("stop: a slot granted in the same turn goes back", "[coro][cancel]") {
  SimScheduler sim;
  Slots slots(1);
  Slot held = *sim.run(take_slot(slots));
  Scope scope(sim, "waiter");
  Outcome<Result<void>> used;
  scope.start(keep(use_slot(slots), used));
  held.release();  // granted
  CHECK(slots.free() == 0);
  scope.stop(Errc::cancelled);
  sim.run(join(scope));
  CHECK(used.is(Errc::cancelled));
  CHECK(sim.elapsed() == 0s);
  CHECK(slots.free() == 1);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("stop: a pool job that runs is waited for, and its effect stays", "[coro][cancel]") {
  SimScheduler sim;
  MemoryFiles files(sim);
  files.add_file("/a", "x");
  Scope scope(sim, "remover");
  Outcome<Result<void>> removed;
  scope.start(keep(files.remove("/a"), removed));
  scope.stop(Errc::cancelled);
  CHECK(scope.running() == 1);
  sim.run(join(scope));
  CHECK(removed.ok());
  CHECK(files.tree().empty());
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("stop: a pool job that has not begun never does", "[coro][cancel]") {
  SimScheduler sim;
  MemoryFiles files(sim);
  files.add_file("/a", "x");
  Scope others(sim, "others");
  for (std::size_t i = 0; i < MemoryFiles::threads; ++i) others.start(sync_root(files));
  Scope scope(sim, "remover");
  Outcome<Result<void>> removed;
  scope.start(keep(files.remove("/a"), removed));
  scope.stop(Errc::cancelled);
  sim.run(join(scope));
  CHECK(removed.is(Errc::cancelled));
  sim.run(join(others));
  CHECK(files.tree().size() == 1);
  CHECK(files.operations().size() == MemoryFiles::threads);
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("stop: what begins to wait afterwards does not wait", "[coro][cancel]") {
  SimScheduler sim;
  MemoryFiles files(sim);
  Event set;
  set.set();
  Slots slots(1);
  auto [ours, theirs] = make_stream_pair(sim);
  theirs->end_output();
  sim.run_until_idle();
  Scope scope(sim, "stopped");
  scope.stop(Errc::timed_out);
  Outcome<Result<void>> waited;
  Outcome<Result<void>> slept;
  Outcome<Result<Slot>> slot;
  Outcome<Result<void>> read;
  Outcome<Result<void>> made;
  scope.start(keep(wait_for(set), waited));
  scope.start(keep(sleep_for(0s), slept));
  scope.start(keep(take_slot(slots), slot));
  scope.start(keep(wait_for_more(*ours), read));
  scope.start(keep(files.make_directory("/x"), made));
  CHECK(scope.running() == 0);  // at once, in the same turn
  CHECK(waited.is(Errc::timed_out));
  CHECK(slept.is(Errc::timed_out));
  CHECK(slot.is(Errc::timed_out));
  CHECK(read.is(Errc::timed_out));
  CHECK(made.is(Errc::timed_out));
  CHECK(slots.free() == 1);
  CHECK(sim.live_tasks() == 0);
}
