// What a client and a downstream may rely on, whatever else goes wrong: docs/protocol-lines.md.
#include <postern/plugin.hpp>

#include <set>
#include <string>

#include "catch.hpp"
#include "support/client.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::contains;
using test::World;
using testing::Fault;
using testing::Phase;

namespace {

// Delays the reply to each recipient.
class Slow final : public plugin::PluginOf<Slow> {
 public:
  struct Settings {};
  static void describe(policy::Schema<Settings>&) {}
  void setup(plugin::Hooks& hooks) override { hooks.on_rcpt(this, &Slow::slow); }

 private:
  void slow(plugin::Recipient& to) { to.session().slow_down(10min); }
};

const std::string content = "Message-Id: <1@b.example>\r\nSubject: s\r\n\r\nb\r\n.\r\n";
const std::string envelope = "MAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\n";

}  // namespace

TEST_CASE("Session: EHLO offers what is known, and nothing that is said before the greeting",
          "[session][line:55]") {
  World world;
  world.listen();
  world.forward();
  Client client(world);
  client.hear();
  client.send("EHLO c.example\r\n");
  const std::string offered = client.read();
  for (const char* keyword : {"PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN", "SMTPUTF8",
                              "CHUNKING", "PRDR", "SIZE ", "LIMITS "})
    CHECK(contains(offered, "250-" + std::string(keyword)) !=
          contains(offered, "250 " + std::string(keyword)));
  CHECK_FALSE(contains(offered, "PIPECONNECT"));
  CHECK_FALSE(contains(offered, "AUTH"));
  CHECK_FALSE(contains(offered, "XCLIENT"));
  client.close();
  CHECK(world.end() == "");
}

TEST_CASE("Session: a downstream without an answer is 451 before the client gives up",
          "[session][line:26]") {
  World world;
  world.listen();
  world.downstream.fail({Phase::end_of_data, Fault::Kind::hang});
  world.forward();
  Client client(world);
  client.say("EHLO c.example\r\n" + envelope);
  client.say("DATA\r\n");
  CHECK(client.say(content, 8min) == "");
  CHECK(client.hear(2min - 1s) == "451 4.4.2");  // RFC 5321 section 4.5.3.2.6: 10 minutes
  CHECK(contains(test::all_records(world), R"("outcome":"uncertain")"));
  client.close();
  CHECK(world.end(1) == "");
}

TEST_CASE("Session: what a client did not hear that it has been taken is not handed over again",
          "[session][line:27][line:59]") {
  World world;
  world.settings.memory_octets = 10;  // most of it is in a file by then
  world.listen();
  world.downstream.settings().think = 2s;
  const bool resets = GENERATE(true, false);
  const std::string name = GENERATE("Message-Id: <1@b.example>\r\n", "");
  world.forward();
  const std::string message = name + "Subject: s\r\n\r\nb\r\n.\r\n";
  {
    Client client(world);
    client.say("EHLO c.example\r\n" + envelope, 60s);
    client.say("DATA\r\n");
    client.say(message, 3s);  // DATA is answered, the end of data is not
    resets ? client.reset() : client.close();
    world.sim.run_for(60s);
  }
  REQUIRE(world.downstream.promised() == 1);
  CHECK(contains(test::all_records(world), R"("outcome":"accepted")"));
  CHECK(contains(test::all_records(world), R"("client_gone":true)"));
  // Without a name it may be another message that looks the same.
  const std::size_t then = name.empty() ? 2 : 1;
  Client client(world);
  client.say("EHLO c.example\r\n" + envelope, 60s);
  client.say("DATA\r\n");
  CHECK(client.say(message, 60s) == "250 2.0.0");
  CHECK(world.downstream.promised() == then);
  client.say(envelope, 60s);
  client.say("DATA\r\n");
  CHECK(client.say("Message-Id: <2@b.example>\r\nSubject: s\r\n\r\nb\r\n.\r\n", 60s) ==
        "250 2.0.0");
  CHECK(world.downstream.promised() == then + 1);
  client.close();
  CHECK(world.end() == "");
}

TEST_CASE(
    "Session: a reply is delayed for a minute at most, for so many clients, and holds up nobody",
    "[session][line:46]") {
  World world;
  world.add<Slow>("slow");
  world.load("slow");
  world.listen();
  world.pool.max_connections = 1;
  world.forward();
  Client one(world), two(world), three(world);
  for (Client* client : {&one, &two, &three}) client->say("EHLO c.example\r\n");
  world.services().delays.most = 2;
  CHECK(one.say(envelope) == "");
  CHECK(two.say(envelope) == "");  // it has the one connection meanwhile
  CHECK(world.downstream.sessions().front().commands.size() >= 4);
  CHECK(three.say(envelope) == "250 2.1.0, 250 2.0.0");  // beyond the budget nobody waits
  CHECK(one.hear(50s) == "");
  CHECK(one.hear(10s) == "250 2.1.0, 250 2.0.0");
  CHECK(two.hear() == "250 2.1.0, 250 2.0.0");
  for (Client* client : {&three, &one, &two}) {
    client->say("DATA\r\n");
    CHECK(client->say(content) == "250 2.0.0");
    client->close();
  }
  CHECK(world.downstream.promised() == 3);
  CHECK(world.end() == "");
}

TEST_CASE("Session: has an id of its own everywhere, and names nobody behind it",
          "[session][line:60]") {
  World world;
  world.listen();
  world.downstream.settings().recipients["<nobody@example.net>"] = "550 5.1.1 no such user\r\n";
  world.forward();
  Client client(world);
  client.send("EHLO c.example\r\n" + envelope + "RCPT TO:<nobody@example.net>\r\n");
  std::string heard = client.read();
  client.send("DATA\r\n");
  heard += client.read();
  client.send(content);
  heard += client.read();
  CHECK(contains(heard, "550 5.1.1 no such user"));
  CHECK(contains(heard, "250 2.0.0 queued as 1"));
  CHECK_FALSE(contains(heard, world.downstream.settings().hostname));
  CHECK_FALSE(contains(heard, World::first.text()));
  client.say(envelope);
  client.say("DATA\r\n");
  client.say(content);
  client.close();
  REQUIRE(world.downstream.promised() == 2);
  std::set<std::string> ids;
  for (const auto& delivery : world.downstream.ledger()) {
    const auto at = delivery.content.find(" id ") + 4;
    const std::string id =
        delivery.content.substr(at, delivery.content.find_first_of(";\r ", at) - at);
    ids.insert(id);
    CHECK(contains(test::all_records(world), "\"id\":\"" + id + "\",\"session\":"));
  }
  CHECK(ids.size() == 2);
  CHECK(world.end() == "");
}
