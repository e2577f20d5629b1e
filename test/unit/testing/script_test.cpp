// The scripted client and downstream, against each other.
#include <postern/coro/scope.hpp>
#include <postern/testing/scripted_client.hpp>
#include <postern/testing/scripted_downstream.hpp>
#include <postern/testing/sim_network.hpp>

#include "catch.hpp"

using namespace postern;
using namespace postern::coro;
using namespace postern::testing;
using namespace std::chrono_literals;

namespace {

const SocketAddress address{IpAddress::v4({192, 0, 2, 1}), 25};
const std::string content = "Subject: x\r\n\r\n.dot\r\n..two\r\nlast\r\n";

struct World {
  explicit World(LinkOptions options = {.latency = 5ms}) : network(sim, options) {
    network.listen(address, [this](net::StreamPtr s) { return downstream.serve(std::move(s)); });
  }
  SimScheduler sim;
  ScriptedDownstream downstream;
  SimNetwork network;
};

Task<void> open_transaction(ScriptedClient& client) {
  co_await client.expect(220);
  co_await client.command("EHLO client.example", 250);
  co_await client.command("MAIL FROM:<a@example.net> SIZE=10", 250);
  co_await client.command("RCPT TO:<b@example.net>", 250);
  co_await client.command("DATA", 354);
}

Task<void> send_message(World& world) {
  auto stream = co_await world.network.connect(address, 1min);
  REQUIRE(stream);
  ScriptedClient client(std::move(*stream));
  co_await open_transaction(client);
  co_await client.message(content, 250);
  co_await client.command("QUIT", 221);
  auto rest = co_await client.until_end();
  CHECK(rest);
}

// What the client sees of one message: the code of its last reply, or the error instead of it.
Task<std::string> try_message(World& world) {
  auto stream = co_await world.network.connect(address, 1min);
  if (!stream) co_return std::string(name(stream.error().code));
  ScriptedClient client(std::move(*stream), 5min);
  std::vector<std::string> steps = {"",
                                    "EHLO client.example\r\n",
                                    "MAIL FROM:<a@example.net>\r\n",
                                    "RCPT TO:<b@example.net>\r\n",
                                    "DATA\r\n",
                                    stuff(content)};
  std::string outcome;
  for (const std::string& step : steps) {
    client.send(step);
    auto reply = co_await client.reply();
    if (!reply) co_return std::string(name(reply.error().code));
    outcome = std::to_string(reply->code);
    if (reply->code >= 400) break;
  }
  co_return outcome;
}

}  // namespace

TEST_CASE("ScriptedDownstream: keeps a ledger of what it promised", "[testing][script]") {
  const auto pieces = GENERATE(Pieces::whole, Pieces::random, Pieces::single);
  World world({.latency = 2ms, .pieces = pieces});
  world.sim.run(send_message(world));
  world.network.stop();
  REQUIRE(world.downstream.ledger().size() == 1);
  const Delivery& delivery = world.downstream.ledger().front();
  CHECK(delivery.promised());
  CHECK(delivery.complete);
  CHECK(delivery.content == content);
  CHECK(delivery.reverse_path == "<a@example.net> SIZE=10");
  CHECK(delivery.forward_paths == std::vector<std::string>{"<b@example.net>"});
  CHECK(world.downstream.sessions().front().commands.back() == "QUIT");
  CHECK(world.sim.live_tasks() == 0);
}

TEST_CASE("ScriptedDownstream: fails where it is told to", "[testing][script]") {
  struct Row {
    Fault fault;
    const char* seen;
    std::size_t promised;
  };
  using Kind = Fault::Kind;
  const auto row = GENERATE(values<Row>({
      {{Phase::connect, Kind::close}, "closed", 0},
      {{Phase::connect, Kind::hang}, "timed_out", 0},
      {{Phase::greeting, Kind::reply, "554 no\r\n"}, "554", 0},
      {{Phase::greeting, Kind::reply, "garbage\r\n"}, "malformed", 0},
      {{Phase::ehlo, Kind::reply, "250-a\r\n450 b\r\n"}, "malformed", 0},
      {{Phase::ehlo, Kind::endless_line}, "too_long", 0},
      {{Phase::mail, Kind::reply_close, "421 bye\r\n"}, "421", 0},
      {{Phase::rcpt, Kind::reset}, "reset", 0},
      {{Phase::data, Kind::reply, "451 later\r\n"}, "451", 0},
      {{Phase::body, Kind::close}, "closed", 0},
      {{Phase::body, Kind::hang}, "timed_out", 0},
      {{Phase::end_of_data, Kind::reply, "452 full\r\n"}, "452", 0},
      {{Phase::end_of_data, Kind::close}, "closed", 0},
      {{Phase::end_of_data, Kind::reply, "250\r\n"}, "250", 1},
  }));
  CAPTURE(name(row.fault.phase), row.seen);
  World world;
  world.downstream.fail(row.fault);
  std::string seen = world.sim.run(try_message(world));
  if (row.fault.kind == Kind::endless_line) {
    CHECK((seen == "closed" || seen == "too_long"));  // "for ever" has an end in a test
  } else {
    CHECK(seen == row.seen);
  }
  CHECK(world.downstream.promised() == row.promised);
  world.network.stop();
  CHECK(world.sim.live_tasks() == 0);
}

TEST_CASE("ScriptedDownstream: a fault can be for one connection", "[testing][script]") {
  World world;
  Fault fault{Phase::mail, Fault::Kind::reply, "451 later\r\n"};
  fault.connection = 1;
  fault.once = true;
  world.downstream.fail(fault);
  CHECK(world.sim.run(try_message(world)) == "250");
  CHECK(world.sim.run(try_message(world)) == "451");
  CHECK(world.sim.run(try_message(world)) == "250");
  CHECK(world.downstream.promised() == 2);
}

TEST_CASE("ScriptedClient: one that vanishes leaves the server waiting", "[testing][script]") {
  World world;
  world.downstream.settings().patience = 7min;
  struct Vanish {
    static Task<void> after_data(World& w) {
      auto stream = co_await w.network.connect(address, 1min);
      REQUIRE(stream);
      ScriptedClient client(std::move(*stream));
      co_await open_transaction(client);
      client.send("Subject: half\r\n");
      client.vanish();
      client.send("never seen\r\n.\r\n");
    }
  };
  world.sim.run(Vanish::after_data(world));
  world.sim.run_until_idle();
  CHECK(world.sim.elapsed() > 7min);
  CHECK(world.downstream.promised() == 0);
  REQUIRE(world.downstream.ledger().size() == 1);
  CHECK_FALSE(world.downstream.ledger().front().complete);
  REQUIRE(world.downstream.sessions().front().end);
  CHECK(world.downstream.sessions().front().end->code == Errc::timed_out);
  CHECK(world.sim.live_tasks() == 0);
}

TEST_CASE("ScriptedClient: says what it expected, with the dialogue", "[testing][script]") {
  World world;
  world.downstream.fail({Phase::mail, Fault::Kind::reply, "550 no\r\n"});
  struct Expect {
    static Task<void> success(World& w) {
      auto stream = co_await w.network.connect(address, 1min);
      ScriptedClient client(std::move(*stream));
      co_await open_transaction(client);
    }
  };
  CHECK_THROWS_WITH(world.sim.run(Expect::success(world)),
                    Catch::Contains("expected 250") && Catch::Contains("S: 550 no"));
}

TEST_CASE("SimScheduler: says who waits when nothing can happen any more", "[testing][scheduler]") {
  World world;
  struct Wait {
    static Task<void> forever_for(World& w) {
      auto stream = co_await w.network.connect(address, 1min);
      co_await (*stream)->more(forever);
      co_await (*stream)->more(forever);
    }
  };
  world.downstream.settings().patience = forever;
  CHECK_THROWS_WITH(world.sim.run(Wait::forever_for(world)), Catch::Contains("test: input"));
  CHECK_THROWS_AS(world.sim.run(Wait::forever_for(world)), Stuck);
  world.network.stop();
  CHECK(world.sim.live_tasks() == 0);
}

TEST_CASE("SimScheduler: the same seed gives the same run", "[testing][scheduler]") {
  const auto run = [](std::uint64_t seed) {
    SimScheduler sim(seed);
    auto [ours, theirs] = make_stream_pair(sim, {.pieces = Pieces::random});
    theirs->write(std::string(20'000, 'x'));
    std::vector<std::size_t> sizes;
    while (sim.run_turn()) sizes.push_back(ours->input().size());
    return sizes;
  };
  CHECK(run(5) == run(5));
  CHECK(run(5) != run(6));
}
