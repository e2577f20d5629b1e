// Connections that are kept for the next message.
#include <algorithm>
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

std::size_t connections(const World& world) { return world.downstream.sessions().size(); }

bool said_quit(const World& world, std::size_t connection) {
  return world.downstream.sessions()[connection].commands.back() == "QUIT";
}

Fault once(Phase phase, Fault::Kind kind, std::size_t nth, std::string octets = {}) {
  Fault fault{phase, kind, std::move(octets)};
  fault.nth = nth;
  fault.once = true;
  return fault;
}

}  // namespace

TEST_CASE("Pool: a connection serves several messages, then no more", "[deliver][kept]") {
  World world;
  world.pool.messages_per_connection = 3;
  world.listen();
  world.forward();
  for (int i = 0; i < 7; ++i) CHECK(send_message(world) == "250 2.0.0");
  CHECK(connections(world) == 3);
  CHECK(said_quit(world, 0));
  CHECK(said_quit(world, 1));
  CHECK_FALSE(said_quit(world, 2));
  CHECK(world.end() == "");
  CHECK(said_quit(world, 2));
}

TEST_CASE("Pool: a kept connection is closed in good time", "[deliver][kept]") {
  World world;
  world.listen();
  world.forward();
  CHECK(send_message(world) == "250 2.0.0");
  world.sim.run_for(8s);
  CHECK(world.the_pool().open_connections() == 1);
  world.sim.run_for(3s);  // keep_idle: 10 s
  CHECK(world.the_pool().open_connections() == 0);
  CHECK(said_quit(world, 0));
  CHECK(world.network.served() == 0);
  CHECK(send_message(world) == "250 2.0.0");
  CHECK(connections(world) == 2);
  CHECK(world.end() == "");
}

TEST_CASE("Pool: a downstream that closes a kept connection is asked again", "[deliver][kept]") {
  World world;
  SECTION("while it is idle") { world.downstream.settings().patience = 2s; }
  world.listen();
  world.forward();
  CHECK(send_message(world) == "250 2.0.0");
  world.sim.run_for(4s);
  CHECK(world.the_pool().open_connections() ==
        (world.downstream.settings().patience == 2s ? 0u : 1u));
  CHECK(send_message(world) == "250 2.0.0");
  CHECK(world.end() == "");
}

TEST_CASE("Pool: a stale connection is retried exactly once", "[deliver][kept]") {
  World world;
  // At the second MAIL of the first connection: the kept one's.
  const auto fault = GENERATE(values<std::pair<Fault::Kind, const char*>>(
      {{Fault::Kind::close, ""},
       {Fault::Kind::reset, ""},
       {Fault::Kind::reply_close, "421 4.4.2 timed out\r\n"},
       {Fault::Kind::reply, "nonsense\r\n"}}));
  world.downstream.fail(once(Phase::mail, fault.first, 1, fault.second));
  world.listen();
  world.forward();
  CHECK(send_message(world) == "250 2.0.0");
  SECTION("and then it goes well, for all recipients") {
    Client client(world);
    client.say("EHLO c.example\r\n");
    CHECK(client.say(test::envelope("a") + "RCPT TO:<y@example.net>\r\nDATA\r\n") ==
          "250 2.1.0, 250 2.0.0, 250 2.0.0, 354");
    CHECK(client.say(test::content) == "250 2.0.0");
    CHECK(world.downstream.ledger().back().forward_paths.size() == 2);
    CHECK(connections(world) == 2);
  }
  SECTION("or not") {
    Fault again{Phase::mail, Fault::Kind::close};
    again.connection = 1;
    world.downstream.fail(again);
    CHECK(send_message(world) == "451 4.4.2");
    CHECK(connections(world) == 2);
  }
  CHECK(world.end() == "");
}

TEST_CASE("Pool: an abandoned transaction is reset before the next", "[deliver][kept]") {
  World world;
  world.listen();
  world.forward();
  const auto abandon = [&] {
    Client client(world);
    client.say("EHLO c.example\r\n" + test::envelope("gone"));
    client.close();
    world.sim.run_for(1s);
  };
  SECTION("on the same connection") {
    abandon();
    CHECK(send_message(world) == "250 2.0.0");
    CHECK(connections(world) == 1);
    const auto& commands = world.downstream.sessions()[0].commands;
    CHECK(std::count(commands.begin(), commands.end(), "RSET") == 1);
  }
  SECTION("or on another, when it does not take RSET") {
    const auto kind = GENERATE(Fault::Kind::reply, Fault::Kind::close, Fault::Kind::hang);
    world.downstream.fail({Phase::rset, kind, "554 5.5.1 no\r\n"});
    abandon();
    CAPTURE(static_cast<int>(kind));
    CHECK(send_message(world, "a", 400s) == "250 2.0.0");
    CHECK(connections(world) == 2);
  }
  REQUIRE(world.downstream.promised() == 1);
  CHECK(world.downstream.ledger().back().reverse_path == "<a@b.example>");
  CHECK(world.end() == "");
}

TEST_CASE("Pool: a reply to nothing ends a kept connection", "[deliver][kept]") {
  World world;
  world.downstream.fail(
      once(Phase::end_of_data, Fault::Kind::reply, 0, "250 2.0.0 taken\r\n250 2.0.0 and more\r\n"));
  world.listen();
  world.forward();
  for (int i = 0; i < 3; ++i) CHECK(send_message(world) == "250 2.0.0");
  CHECK(connections(world) == 2);
  CHECK(world.end() == "");
}

TEST_CASE("Pool: what was said in a client's name serves no other", "[deliver][kept]") {
  World world;
  world.pool.identity = GENERATE(deliver::Identity::xclient, deliver::Identity::proxy_v1,
                                 deliver::Identity::proxy_v2);
  world.downstream.settings().proxy = world.pool.identity != deliver::Identity::xclient;
  world.downstream.settings().capabilities.push_back("XCLIENT ADDR PORT");
  world.pool.max_connections = 1;
  world.listen();
  world.forward();
  CHECK(send_message(world) == "250 2.0.0");
  CHECK(send_message(world) == "250 2.0.0");
  CHECK(connections(world) == 2);
  // Nor does it when it is lent.
  auto slow = std::make_unique<Client>(world);
  slow->say("EHLO c.example\r\n" + test::envelope("s") + "DATA\r\n");
  CHECK(send_message(world) == "250 2.0.0");
  CHECK(slow->say(test::content) == "250 2.0.0");
  CHECK(connections(world) == 5);
  slow.reset();
  CHECK(world.end() == "");
}

TEST_CASE("Pool: a connection on which much was refused is not kept", "[deliver][kept]") {
  World world;
  world.listen();
  world.forward();
  auto& recipients = world.downstream.settings().recipients;
  recipients["<no@example.net>"] = "550 5.1.1 no\r\n";
  const auto refuse = [&](int count) {
    Client client(world);
    client.say("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n");
    for (int i = 0; i < count; ++i) client.say("RCPT TO:<no@example.net>\r\n");
    client.close();
    world.sim.run_for(1s);
  };
  refuse(7);
  CHECK(connections(world) == 1);
  SECTION("at eight, before Postfix would slow down") {
    refuse(1);
    CHECK(said_quit(world, 0));
    CHECK(send_message(world) == "250 2.0.0");
    CHECK(connections(world) == 2);
  }
  SECTION("a message starts anew") {
    CHECK(send_message(world) == "250 2.0.0");
    refuse(7);
    CHECK(connections(world) == 1);
    CHECK_FALSE(said_quit(world, 0));
  }
  CHECK(world.end() == "");
}
