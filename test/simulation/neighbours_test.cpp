// I5: what one client does, or what befalls its connection to the downstream, stays its own affair.
#include <postern/coro/scope.hpp>

#include <deque>

#include "catch.hpp"
#include "matrix_client.hpp"
#include "support/world.hpp"

using namespace postern;
using namespace postern::simulation;
using namespace std::chrono_literals;
using test::World;

TEST_CASE("Session: the neighbours of a client that goes are told 250",
          "[simulation][neighbours]") {
  const std::uint64_t seed = GENERATE(1u, 2u);
  const bool few_connections = GENERATE(false, true);
  World world(seed, {.latency = 5ms, .pieces = testing::Pieces::random});
  world.pool.max_connections = few_connections ? 2 : 20;
  world.downstream.settings().think = 10ms;
  world.listen();
  world.forward();
  std::deque<Cell> cells;
  std::deque<MatrixClient> clients;
  coro::Scope scope(world.sim, "clients");
  std::size_t well = 0;
  for (const Leaving& leaving : leavings()) {
    // A client that vanishes in its body holds a place until its time is over: not with few of
    // them.
    if (few_connections && leaving.action == Action::vanishes) continue;
    for (const Action action : {leaving.action, Action::stays}) {
      Cell& cell = cells.emplace_back();
      cell.leaving = leaving;
      cell.leaving.action = action;
      cell.client_pipelines = cells.size() % 3 == 0;
      cell.seed = seed * 1000 + cells.size();
      well += action == Action::stays ? 1 : 0;
      clients.emplace_back(cell, world.connect({.latency = 3ms}));
      scope.start(clients.back().talk());
    }
  }
  world.sim.run_for(50s);  // well below what any of them may wait
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].leaving.action != Action::stays) continue;
    CAPTURE(seed, few_connections, i, clients[i].transcript());
    CHECK(clients[i].told(0).final == "250 2.0.0");
    CHECK(clients[i].told(1).final == "250 2.0.0");
  }
  CHECK(world.downstream.promised() >= 2 * well);
  world.sim.run_for(2h);
  CHECK(scope.running() == 0);
  CHECK(world.end() == "");
}
