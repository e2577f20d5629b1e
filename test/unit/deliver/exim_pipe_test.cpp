// SMTP with a program that is started for each transaction.
#include <string>

#include "catch.hpp"
#include "transactions.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::World;
using testing::Fault;
using testing::Phase;

namespace {

constexpr const char* exim = "exim-pipe:/usr/sbin/exim4";

// Exim by script: each call is a connection of world.downstream.
struct Piped {
  Piped() {
    world.pool.program = exim;
    world.pool.to = {deliver::Server(ServerAddress::program("/usr/sbin/exim4"))};
    world.programs.install(exim, [this](net::ProgramCall call, net::RunningProgram theirs) {
      calls.push_back(std::move(call));
      return serve(world.downstream, std::move(theirs));
    });
    world.forward();
  }
  static coro::Task<void> serve(testing::ScriptedDownstream& server, net::RunningProgram theirs) {
    co_await server.serve(std::move(theirs.talk));
    theirs.end->write(net::write_program_end({net::ProgramEnd::Kind::exited, 0, ""}));
    theirs.end->end_output();
  }
  static coro::Task<void> die(net::RunningProgram theirs) {
    theirs.talk.reset();
    theirs.end->write(net::write_program_end({net::ProgramEnd::Kind::exited, 1, "not trusted"}));
    theirs.end->end_output();
    co_return;
  }

  World world;
  std::vector<net::ProgramCall> calls;
};

bool logged(const World& world, const std::string& part) {
  return std::any_of(world.log.lines.begin(), world.log.lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("exim-pipe: each transaction has a program of its own, which hears of its client",
          "[deliver][program]") {
  Piped piped;
  CHECK(test::send_message(piped.world) == "250 2.0.0");
  CHECK(test::send_message(piped.world) == "250 2.0.0");
  REQUIRE(piped.calls.size() == 2);
  CHECK(piped.calls[0].program == exim);
  CHECK(piped.calls[0].words == std::vector<std::string>{"192.0.2.1", "50000", "", "", "esmtp"});
  CHECK(piped.calls[1].words[1] == "50001");
  CHECK(piped.world.downstream.promised() == 2);
  CHECK(piped.world.downstream.sessions()[0].commands.front() == "EHLO c.example");
  CHECK(piped.world.end() == "");
}

TEST_CASE("exim-pipe: its refusals reach the client", "[deliver][program]") {
  Piped piped;
  piped.world.downstream.settings().recipients["<x@example.net>"] = "550 5.1.1 unknown\r\n";
  CHECK(test::send_message(piped.world) == "550 5.1.1");
  CHECK(piped.world.end() == "");
}

TEST_CASE("exim-pipe: one that dies before it greets is told of in the log", "[deliver][program]") {
  Piped piped;
  piped.world.programs.install(exim, [](net::ProgramCall, net::RunningProgram theirs) {
    return Piped::die(std::move(theirs));
  });
  CHECK(test::send_message(piped.world) == "451 4.4.2");
  CHECK(logged(piped.world, "status 1: not trusted"));
  CHECK(piped.world.end() == "");
}

TEST_CASE("exim-pipe: one that the helper refuses, or no helper, defers", "[deliver][program]") {
  Piped piped;
  const bool refused = GENERATE(true, false);
  if (refused)
    piped.world.programs.install(exim, [](net::ProgramCall, net::RunningProgram theirs) {
      return Piped::die(std::move(theirs));
    });
  else
    piped.world.programs.fail(Errc::busy);
  CHECK(test::send_message(piped.world).substr(0, 5) == "451 4");
  CHECK(piped.world.end() == "");
}

TEST_CASE(
    "exim-pipe: killed in the middle of the message, nothing is lost and the client comes again",
    "[deliver][program]") {
  const auto phase = GENERATE(Phase::greeting, Phase::ehlo, Phase::mail, Phase::rcpt, Phase::data,
                              Phase::body, Phase::end_of_data);
  Piped piped;
  Fault fault{phase, Fault::Kind::close};
  fault.once = true;
  piped.world.downstream.fail(fault);
  const std::string first = test::send_message(piped.world);
  CAPTURE(first);
  CHECK(first.substr(0, 5) == "451 4");
  CHECK(piped.world.downstream.promised() == 0);
  CHECK(test::send_message(piped.world) == "250 2.0.0");
  CHECK(piped.world.downstream.promised() == 1);
  CHECK(piped.world.end() == "");
}

TEST_CASE("exim-pipe: the number of programs is that of the connections", "[deliver][program]") {
  Piped piped;
  piped.world.pool.max_connections = 1;
  auto& pool = piped.world.forward();
  Client one(piped.world), two(piped.world);
  one.say("EHLO c.example\r\n");
  two.say("EHLO c.example\r\n");
  CHECK(one.say(test::envelope("a")) == "250 2.1.0, 250 2.0.0");
  two.say(test::envelope("b"));
  CHECK(piped.calls.size() == 1);
  CHECK(pool.state().waiting == 1);
  one.say("QUIT\r\n");
  CHECK(piped.calls.size() == 2);
  CHECK(piped.world.end() == "");
}
