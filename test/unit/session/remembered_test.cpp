#include <postern/session/remembered.hpp>
#include <postern/store/state.hpp>
#include <postern/testing/memory_store.hpp>
#include <postern/testing/sim_scheduler.hpp>

#include "catch.hpp"

using namespace postern;
using namespace std::chrono_literals;
using session::Remembered;

TEST_CASE("Remembered: what one worker remembers another knows, for as long", "[session]") {
  testing::SimScheduler clock;
  testing::MemoryStore store(clock);
  Remembered one("postern.test", 1h);
  const Remembered other("postern.test", 1h);
  const Remembered stranger("postern.else", 1h);
  one.remember(store, 7, 550, clock.now());
  CHECK(other.find(store, 7, clock.now()) == 550u);
  CHECK_FALSE(other.find(store, 8, clock.now()));
  CHECK_FALSE(stranger.find(store, 7, clock.now()));
  clock.run_for(61min);
  CHECK_FALSE(one.find(store, 7, clock.now()));
  CHECK_FALSE(other.find(store, 7, clock.now()));
}

TEST_CASE("Remembered: a worker needs no store for what it remembers itself", "[session]") {
  testing::SimScheduler clock;
  testing::MemoryStore store(clock);
  store.fail_with(Errc::no_space);
  Remembered one("postern.test", 1h);
  one.remember(store, 7, 550, clock.now());
  CHECK(one.find(store, 7, clock.now()) == 550u);
}

TEST_CASE("Remembered: what somebody else wrote into the store is no answer", "[session]") {
  testing::SimScheduler clock;
  testing::MemoryStore store(clock);
  const auto content = GENERATE(as<std::string>(), "", "x", "5x", "-1", "99999999999999999999999");
  REQUIRE(store::State(store, "postern.test").put("0000000000000007", content, 1h));
  CHECK_FALSE(Remembered("postern.test", 1h).find(store, 7, clock.now()));
}
