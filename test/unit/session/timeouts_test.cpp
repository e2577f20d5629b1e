// Time limits: an idle or slow client hears 421 4.4.2.
#include <string>

#include "catch.hpp"
#include "support/client.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::World;

namespace {

const std::string rcpt = "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\n";

}  // namespace

TEST_CASE("Session: an idle client hears 421 in every state",
          "[session][timeouts][line:25][line:28]") {
  struct Row {
    const char* why;
    std::string before;
    net::Duration limit;
  };
  const auto row = GENERATE(values<Row>({
      {"greeted by us", "", 300s},
      {"after EHLO", "EHLO c.example\r\n", 300s},
      {"after RCPT", rcpt, 300s},
      {"in the body", rcpt + "DATA\r\na: b\r\n", 180s},
  }));
  CAPTURE(row.why);
  World world;
  world.listen();
  world.forward();
  {
    Client client(world);
    client.say(row.before, 0s);
    CHECK(client.hear(row.limit - 1s) == "");
    CHECK(client.hear(2s) == "421 4.4.2");
    CHECK(client.ended());
    CHECK(world.running() == 0);
  }
  CHECK(world.end() == "");
  CHECK(world.downstream.promised() == 0);
}

TEST_CASE("Session: a command in pieces has one time limit", "[session][timeouts]") {
  World world;
  world.deliver_to_maildir();
  {
    Client client(world);
    client.say("EHLO c.example\r\n");
    std::string heard;
    net::Duration waited{};
    for (; heard.empty() && waited < 1h; waited += 10s) heard = client.say("x", 10s);
    CHECK(heard == "421 4.4.2");
    CHECK(waited == 300s);
  }
  CHECK(world.end() == "");
}

TEST_CASE("Session: a body in crumbs has a limit as a whole", "[session][timeouts]") {
  World world;
  world.listen();
  world.forward();
  {
    Client client(world);
    client.say(rcpt + "DATA\r\n");
    std::string heard;
    net::Duration waited{};
    for (; heard.empty() && waited < 3h; waited += 100s) heard = client.say("a: b\r\n", 100s);
    CHECK(heard == "421 4.4.2");
    CHECK(waited >= 3600s);
    CHECK(waited < 3800s);
  }
  CHECK(world.end() == "");
  CHECK(world.downstream.promised() == 0);
  REQUIRE(world.downstream.ledger().empty());  // DATA waits for the whole message
}

TEST_CASE("Session: commands that keep coming keep it", "[session][timeouts]") {
  World world;
  world.deliver_to_maildir();
  {
    Client client(world);
    client.say("EHLO c.example\r\n");
    for (int i = 0; i < 20; ++i) CHECK(client.say("NOOP\r\n", 290s) == "250 2.0.0");
  }
  CHECK(world.end() == "");
}
