// More sessions than connections: order, lending, waiting.
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

namespace {

void prepare(World& world, std::size_t connections) {
  world.pool.max_connections = connections;
  world.listen();
  world.forward();
}

std::unique_ptr<Client> greeted(World& world) {
  auto client = std::make_unique<Client>(world);
  client->say("EHLO c.example\r\n");
  return client;
}

std::vector<std::string> senders(const World& world) {
  std::vector<std::string> out;
  for (const auto& delivery : world.downstream.ledger())
    if (delivery.promised()) out.push_back(delivery.reverse_path.substr(1, 1));
  return out;
}

}  // namespace

TEST_CASE("Pool: places are given in the order of asking", "[deliver][slots]") {
  World world;
  prepare(world, 1);
  std::vector<std::unique_ptr<Client>> clients;
  for (const char* name : {"a", "b", "c", "d"}) {
    clients.push_back(greeted(world));
    const std::string heard = clients.back()->say(envelope(name), 100ms);
    // Replies of a group leave together: those who wait have heard nothing yet.
    CHECK(heard == (clients.size() == 1 ? "250 2.1.0, 250 2.0.0" : ""));
  }
  CHECK(world.the_pool().open_connections() == 1);
  // Each ends without a message; the next in the row has the place at once.
  for (std::size_t i = 0; i + 1 < clients.size(); ++i) {
    CHECK(clients[i]->say("RSET\r\n", 100ms) == "250 2.0.0");
    CHECK(clients[i + 1]->hear(100ms) == "250 2.1.0, 250 2.0.0");
    for (std::size_t later = i + 2; later < clients.size(); ++later)
      CHECK(clients[later]->hear(0s) == "");
  }
  clients.clear();
  CHECK(world.end() == "");
}

TEST_CASE("Pool: a body that arrives slowly lends its connection", "[deliver][slots]") {
  World world;
  prepare(world, 1);
  auto slow = greeted(world), quick = greeted(world);
  slow->say(envelope("s", "s@example.net"));
  CHECK(slow->say("RCPT TO:<t@example.net>\r\nDATA\r\n") == "250 2.0.0, 354");
  CHECK(quick->say(envelope("q") + "DATA\r\n") == "250 2.1.0, 250 2.0.0, 354");
  SECTION("and gets it back, with its envelope said again") {
    CHECK(quick->say(test::content) == "250 2.0.0");
    CHECK(slow->say(test::content) == "250 2.0.0");
    CHECK(senders(world) == std::vector<std::string>{"q", "s"});
    CHECK(world.downstream.ledger().back().forward_paths ==
          std::vector<std::string>{"<s@example.net>", "<t@example.net>"});
  }
  SECTION("and both wait for their turn") {
    CHECK(slow->say(test::content) == "250 2.0.0");  // the other is parked, too: it lends back
    CHECK(quick->say(test::content) == "250 2.0.0");
    CHECK(senders(world) == std::vector<std::string>{"s", "q"});
  }
  SECTION("and a refusal then is the reply") {
    auto& recipients = world.downstream.settings().recipients;
    recipients["<s@example.net>"] = "550 5.1.1 gone\r\n";
    CHECK(quick->say(test::content) == "250 2.0.0");
    SECTION("of some: it comes again") { CHECK(slow->say(test::content) == "451 4.3.0"); }
    SECTION("of all: as it is") {
      recipients["<t@example.net>"] = "550 5.1.1 gone\r\n";
      CHECK(slow->say(test::content) == "550 5.1.1");
    }
    CHECK(senders(world) == std::vector<std::string>{"q"});
  }
  SECTION("and goes without it") {
    slow->reset();
    CHECK(quick->say(test::content) == "250 2.0.0");
    CHECK(senders(world) == std::vector<std::string>{"q"});
  }
  slow.reset();
  quick.reset();
  CHECK(world.downstream.sessions().size() == 1);
  CHECK(world.end() == "");
}

TEST_CASE("Pool: a lent connection that has died is replaced once", "[deliver][slots]") {
  World world;
  prepare(world, 1);
  // The second MAIL on the first connection is the borrower's.
  testing::Fault fault{testing::Phase::mail, testing::Fault::Kind::close};
  fault.nth = 1;
  fault.once = true;
  world.downstream.fail(fault);
  auto slow = greeted(world), quick = greeted(world);
  CHECK(slow->say(envelope("s") + "DATA\r\n") == "250 2.1.0, 250 2.0.0, 354");
  CHECK(quick->say(envelope("q") + "DATA\r\n") == "250 2.1.0, 250 2.0.0, 354");
  CHECK(quick->say(test::content) == "250 2.0.0");
  CHECK(slow->say(test::content) == "250 2.0.0");
  slow.reset();
  quick.reset();
  CHECK(world.end() == "");
  CHECK(world.downstream.sessions().size() == 2);
}

TEST_CASE("Pool: waiting for a place has its time", "[deliver][slots]") {
  World world;
  prepare(world, 1);
  auto holder = greeted(world), waiter = greeted(world), third = greeted(world);
  CHECK(holder->say(envelope("h")) == "250 2.1.0, 250 2.0.0");
  SECTION("and is over then") {
    CHECK(waiter->say(envelope("w"), 59s) == "");
    CHECK(waiter->hear(2s) == "250 2.1.0, 451 4.3.2");
    // It left the queue: who comes later is next.
    CHECK(third->say(envelope("t"), 1s) == "");
    CHECK(holder->say("RSET\r\n") == "250 2.0.0");
    CHECK(third->hear() == "250 2.1.0, 250 2.0.0");
  }
  SECTION("and a client that goes meanwhile leaves the queue") {
    CHECK(waiter->say(envelope("w"), 1s) == "");
    CHECK(third->say(envelope("t"), 1s) == "");
    waiter->reset();
    world.sim.run_for(1s);
    CHECK(world.running() == 2);
    CHECK(holder->say("RSET\r\n") == "250 2.0.0");
    CHECK(third->hear() == "250 2.1.0, 250 2.0.0");
  }
  holder.reset();
  waiter.reset();
  third.reset();
  CHECK(world.end() == "");
}

TEST_CASE("Pool: fifty clients share three connections", "[deliver][slots]") {
  World world(GENERATE(1u, 2u, 3u), {.latency = 3ms});
  world.downstream.settings().think = 20ms;
  prepare(world, 3);
  std::vector<std::unique_ptr<Client>> clients;
  constexpr int count = 50;
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<Client>(world, testing::LinkOptions{.latency = i * 1ms}));
    clients.back()->send("EHLO c.example\r\n" + envelope(fmt::format("m{}", i)) + "DATA\r\n");
  }
  std::vector<std::string> heard(clients.size());
  for (int second = 0; second < 60; ++second) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
      const std::string now = clients[i]->hear(0s);
      if (now.ends_with("354")) clients[i]->send(test::content);
      heard[i] += now;
    }
    CHECK(world.the_pool().open_connections() <= 3);
    world.sim.run_for(1s);
  }
  for (const std::string& each : heard) CHECK(each.ends_with("250 2.0.0"));
  clients.clear();
  CHECK(world.end() == "");
  CHECK(world.downstream.promised() == count);
  CHECK(world.downstream.ledger().size() == count);
}
