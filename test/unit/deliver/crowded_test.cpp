// A downstream that answers 421 to new connections: fewer are opened, and mail waits for those.
#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "transactions.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::envelope;
using test::World;
using testing::Fault;
using testing::Phase;

namespace {

std::unique_ptr<Client> greeted(World& world) {
  auto client = std::make_unique<Client>(world);
  client->say("EHLO c.example\r\n");
  return client;
}

}  // namespace

TEST_CASE("Pool: a transaction that finds the downstream crowded waits for a connection",
          "[deliver][crowded]") {
  World world;
  world.pool.max_connections = 10;
  // From the fifth connection on, as a server with a limit of four would.
  Fault fault{Phase::greeting, Fault::Kind::reply_close, "421 4.7.0 too many connections\r\n"};
  fault.connection = 4;
  world.downstream.fail(fault);
  world.listen();
  world.forward();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(greeted(world));
    CHECK(clients.back()->say(envelope("a")) == "250 2.1.0, 250 2.0.0");
  }
  auto late = greeted(world);
  CHECK(late->say(envelope("late"), 1s) == "");
  auto state = world.the_pool().state();
  CHECK(state.servers[0].up);
  CHECK(state.servers[0].crowded == 1);
  CHECK(state.most == 2);
  CHECK(state.waiting == 1);
  CHECK(state.used == 4);
  SECTION("and gets one that was in use, when few enough are left") {
    for (std::size_t i = 0; i < 3; ++i) CHECK(clients[i]->say("RSET\r\n") == "250 2.0.0");
    CHECK(late->hear() == "250 2.1.0, 250 2.0.0");
    CHECK(world.downstream.sessions().size() == 5);  // and no further one was opened
  }
  SECTION("and is told to come back when none becomes free") {
    CHECK(late->hear(61s) == "250 2.1.0, 451 4.3.2");
  }
  late.reset();
  clients.clear();
  world.downstream.mend();
  world.sim.run_for(5min);
  CHECK(world.the_pool().state().most == 10);
  CHECK(world.end() == "");
}

TEST_CASE("Pool: one connection that is refused with 421 is left alone", "[deliver][crowded]") {
  World world;
  world.downstream.fail({Phase::greeting, Fault::Kind::reply_close, "421 4.3.2 no\r\n"});
  world.listen();
  world.forward();
  CHECK(test::send_message(world) == "451 4.3.2");
  CHECK_FALSE(world.the_pool().state().servers[0].up);
  CHECK(world.end() == "");
}
