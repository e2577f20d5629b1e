// Several addresses: who is tried, and when again.
#include <string>

#include "catch.hpp"
#include "transactions.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::send_message;
using test::World;
using testing::Fault;
using testing::Phase;

namespace {

// Two addresses, nothing kept, so that each message opens a connection.
void prepare(World& world, testing::ScriptedDownstream& other) {
  world.pool.to = {World::first, World::second};
  world.pool.messages_per_connection = 1;
  world.listen();
  world.listen(World::second, other);
  world.forward();
}

}  // namespace

TEST_CASE("Pool: another address takes what the first does not", "[deliver][failover]") {
  World world;
  testing::ScriptedDownstream other;
  prepare(world, other);
  SECTION("nobody listens") { world.network.fail(World::first, Errc::refused); }
  SECTION("no route") { world.network.fail(World::first, Errc::unreachable); }
  SECTION("no answer") { world.network.silence(World::first); }
  SECTION("no greeting") { world.downstream.fail({Phase::greeting, Fault::Kind::hang}); }
  SECTION("it closes") { world.downstream.fail({Phase::greeting, Fault::Kind::close}); }
  SECTION("it is closing") {
    world.downstream.fail({Phase::greeting, Fault::Kind::reply_close, "421 4.3.2 no\r\n"});
  }
  SECTION("it does not want us") {
    world.downstream.fail({Phase::greeting, Fault::Kind::reply, "554 5.7.1 no\r\n"});
  }
  SECTION("it refuses EHLO and HELO") {
    for (const std::size_t nth : {0u, 1u})
      world.downstream.fail({Phase::ehlo, Fault::Kind::reply, "550 5.7.1 no\r\n", nth});
  }
  SECTION("nonsense") { world.downstream.fail({Phase::ehlo, Fault::Kind::reply, "?\r\n"}); }
  CHECK(send_message(world, "a", 100s) == "250 2.0.0");
  CHECK(other.promised() == 1);
  CHECK(world.end() == "");
}

TEST_CASE("Pool: an address that is down is left alone for longer and longer",
          "[deliver][failover]") {
  World world;
  testing::ScriptedDownstream other;
  prepare(world, other);
  world.network.fail(World::first, Errc::refused);
  CHECK(send_message(world) == "250 2.0.0");
  CHECK(world.network.attempts(World::first) == 1);
  // Tried again after 1, 2, 4, 8, 16, 32, then each 60 seconds, by the next message, every 4 s
  // here.
  for (int i = 0; i < 200; ++i) CHECK(send_message(world) == "250 2.0.0");
  const auto minutes = static_cast<std::size_t>((world.sim.elapsed() - 63s) / 60s);
  const auto attempts = world.network.attempts(World::first);
  CHECK(attempts >= 7 + minutes * 60 / 64 - 1);
  CHECK(attempts <= 7 + minutes + 1);
  world.listen();  // it is back
  world.sim.run_for(60s);
  CHECK(send_message(world) == "250 2.0.0");  // meanwhile somebody looks: EHLO, QUIT
  CHECK(world.downstream.promised() == 0);
  REQUIRE(world.downstream.sessions().size() == 1);
  CHECK(world.downstream.sessions()[0].commands.back() == "QUIT");
  CHECK(send_message(world) == "250 2.0.0");
  CHECK(send_message(world) == "250 2.0.0");
  CHECK(world.downstream.promised() == 2);
  CHECK(world.end() == "");
}

TEST_CASE("Pool: when all are down each is tried each time", "[deliver][failover]") {
  World world;
  testing::ScriptedDownstream other;
  prepare(world, other);
  world.network.fail(World::first, Errc::refused);
  world.network.fail(World::second, Errc::unreachable);
  for (int i = 0; i < 3; ++i) CHECK(send_message(world) == "451 4.4.1");
  CHECK(world.network.attempts(World::first) == 3);
  CHECK(world.network.attempts(World::second) == 3);
  world.listen(World::second, other);
  CHECK(send_message(world) == "250 2.0.0");
  CHECK(world.end() == "");
}

TEST_CASE("Pool: a client that goes while we connect says nothing of the downstream",
          "[deliver][failover]") {
  World world;
  testing::ScriptedDownstream other;
  prepare(world, other);
  world.downstream.settings().think = 1s;
  {
    Client client(world);
    client.say("EHLO c.example\r\n" + test::envelope("a"), 500ms);
    client.reset();
    world.sim.run_for(100ms);
  }
  CHECK(send_message(world, "b", 20s) == "250 2.0.0");
  CHECK(world.downstream.promised() == 1);
  CHECK(other.promised() == 0);
  CHECK(world.network.attempts(World::second) == 0);
  CHECK(world.end() == "");
}

TEST_CASE("Pool: no client waits for a server that was down while others serve",
          "[deliver][failover]") {
  World world;
  testing::ScriptedDownstream other;
  prepare(world, other);
  world.network.silence(World::first);  // a connect takes 30 s to fail
  CHECK(send_message(world, "a", 40s) == "250 2.0.0");
  for (int i = 0; i < 20; ++i) {
    world.sim.run_for(10s);
    CHECK(send_message(world, "a", 0s) == "250 2.0.0");
  }
  CHECK(world.network.attempts(World::first) > 3);
  CHECK(world.end() == "");
}

TEST_CASE("Pool: servers share connections by their weights", "[deliver][failover]") {
  World world;
  testing::ScriptedDownstream other;
  world.pool.to = {{World::first, 1}, {World::second, 3}};
  world.pool.messages_per_connection = 1;
  world.listen();
  world.listen(World::second, other);
  world.forward();
  for (int i = 0; i < 20; ++i) CHECK(send_message(world) == "250 2.0.0");
  CHECK(world.downstream.promised() == 5);
  CHECK(other.promised() == 15);
  world.network.fail(World::second, Errc::refused);
  for (int i = 0; i < 4; ++i) CHECK(send_message(world) == "250 2.0.0");
  CHECK(world.downstream.promised() == 9);
  CHECK(world.end() == "");
}
