// Mail of some domains goes another way than the site's.
#include <postern/session/domain_routes.hpp>

#include <string>

#include "catch.hpp"
#include "support/client.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::World;

namespace {

// Mail of other.example goes to World::second.
struct TwoWays {
  TwoWays() {
    world.recipients.add_domain("other.example");
    world.listen();
    world.listen(World::second, second);
    world.forward();
    deliver::PoolSettings settings = world.pool;
    settings.to = {World::second};
    world.route("other.example", settings);
  }
  testing::ScriptedDownstream second;
  World world;
};

std::string recipients_of(const testing::ScriptedDownstream& server) {
  std::string all;
  for (const auto& delivery : server.ledger())
    for (const std::string& path : delivery.forward_paths) all += path + " ";
  return all;
}

constexpr const char* message = "DATA\r\n";
constexpr const char* content = "a: b\r\n\r\nc\r\n.\r\n";

}  // namespace

TEST_CASE("DomainRoutes: the longest pattern that fits counts", "[session][routes]") {
  TwoWays ways;
  deliver::PoolSettings settings = ways.world.pool;
  session::DomainRoutes routes;
  CHECK(routes.find("example.net") == nullptr);
  deliver::Route& site = ways.world.services().route;
  settings.max_connections = 3;
  deliver::Route& one = ways.world.route("one.example", settings);
  settings.max_connections = 4;
  deliver::Route& two = ways.world.route("two.example", settings);
  CHECK(&one != &two);
  CHECK(&ways.world.route("three.example", settings) == &two);  // the same settings
  routes.add("example.net", one);
  routes.add(".example.net", two);
  routes.add(".a.example.net", site);
  CHECK(routes.find("example.net") == &one);
  CHECK(routes.find("x.example.net") == &two);
  CHECK(routes.find("a.example.net") == &two);
  CHECK(routes.find("x.y.a.example.net") == &site);
  CHECK(routes.find("myexample.net") == nullptr);
  CHECK(routes.find("net") == nullptr);
  CHECK(routes.find("") == nullptr);
  CHECK(ways.world.end() == "");
}

TEST_CASE("routes: a recipient of another way comes with a transaction of its own",
          "[session][routes]") {
  TwoWays ways;
  World& world = ways.world;
  Client client(world);
  client.say("EHLO c.example\r\n");
  CHECK(client.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<x@OTHER.example>\r\nRCPT "
                   "TO:<x@example.net>\r\nRCPT TO:<y@other.example>\r\n") ==
        "250 2.1.0, 250 2.0.0, 450 4.5.3, 250 2.0.0");
  client.say(message);
  CHECK(client.say(content) == "250 2.0.0");
  CHECK(client.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\n") ==
        "250 2.1.0, 250 2.0.0");
  client.say(message);
  CHECK(client.say(content) == "250 2.0.0");
  CHECK(recipients_of(world.downstream) == "<x@example.net> ");
  CHECK(recipients_of(ways.second) == "<x@OTHER.example> <y@other.example> ");
  client.close();
  CHECK(world.end() == "");
}

TEST_CASE("routes: a way that is down does not hold up the others", "[session][routes]") {
  TwoWays ways;
  World& world = ways.world;
  world.network.fail(World::second, Errc::refused);
  Client client(world);
  client.say("EHLO c.example\r\n");
  CHECK(client.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<x@other.example>\r\nRCPT "
                   "TO:<x@example.net>\r\n") == "250 2.1.0, 451 4.4.1, 250 2.0.0");
  client.say(message);
  CHECK(client.say(content) == "250 2.0.0");
  client.close();
  CHECK(world.end() == "");
}

TEST_CASE("routes: what one of them cannot carry is not offered", "[session][routes]") {
  TwoWays ways;
  World& world = ways.world;
  std::erase(ways.second.settings().capabilities, "SMTPUTF8");
  std::erase(ways.second.settings().capabilities, "SIZE 10240000");
  ways.second.settings().capabilities.push_back("SIZE 1000");
  const auto offered = [&](std::string_view keyword) {
    Client client(world);
    client.hear();
    client.send("EHLO c.example\r\n");
    return client.read(1s).find(keyword) != std::string::npos;
  };
  CHECK(offered("SMTPUTF8"));  // nobody has been met yet
  for (const char* domain : {"example.net", "other.example"}) {
    Client client(world);
    client.say("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@" + std::string(domain) +
               ">\r\n");
  }
  CHECK_FALSE(offered("SMTPUTF8"));
  CHECK(offered("DSN"));
  CHECK(offered("SIZE 10240000"));  // the largest: the other says 552 for itself
  Client client(world);
  client.say("EHLO c.example\r\n");
  CHECK(client.say("MAIL FROM:<a@b.example> SIZE=5000\r\nRCPT TO:<x@other.example>\r\nRCPT "
                   "TO:<x@example.net>\r\n") == "250 2.1.0, 552 5.3.4, 250 2.0.0");
  client.close();
  CHECK(world.end() == "");
}
