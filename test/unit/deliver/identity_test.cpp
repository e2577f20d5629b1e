// Who our client is, as the downstream is told.
#include <postern/deliver/identity.hpp>

#include <string>
#include <vector>

#include "catch.hpp"
#include "transactions.hpp"

using namespace postern;
using deliver::Identity;
using test::World;

namespace {

deliver::Client a_client() {
  deliver::Client client;
  client.remote = {IpAddress::v4({192, 0, 2, 1}), 50000};
  client.local = {IpAddress::v4({192, 0, 2, 25}), 25};
  client.helo = "c.example";
  client.esmtp = true;
  return client;
}

smtp::Flags<smtp::Attribute> all() {
  smtp::Flags<smtp::Attribute> flags;
  flags.bits = 0xffff;
  return flags;
}

std::vector<std::string> commands(World& world) {
  world.listen();
  world.forward();
  CHECK(test::send_message(world) == "250 2.0.0");
  CHECK(world.end() == "");
  return world.downstream.sessions().front().commands;
}

}  // namespace

TEST_CASE("Identity: XFORWARD comes before each MAIL", "[deliver][identity]") {
  World world;
  world.pool.identity = Identity::xforward;
  world.downstream.settings().capabilities.push_back("XFORWARD NAME ADDR PROTO HELO SOURCE PORT");
  const auto said = commands(world);
  CHECK(said[1] ==
        "XFORWARD NAME=[UNAVAILABLE] ADDR=192.0.2.1 PORT=50000 PROTO=ESMTP HELO=c.example "
        "SOURCE=REMOTE");
  CHECK(said[2] == "MAIL FROM:<a@b.example>");
}

TEST_CASE("Identity: XCLIENT comes once, and EHLO again, with the client's name",
          "[deliver][identity]") {
  World world;
  world.pool.identity = Identity::xclient;
  world.downstream.settings().capabilities.push_back(
      "XCLIENT NAME ADDR PROTO HELO PORT DESTADDR DESTPORT");
  const auto said = commands(world);
  CHECK(said[1] ==
        "XCLIENT HELO=c.example PROTO=ESMTP DESTADDR=192.0.2.25 DESTPORT=25 PORT=50000 "
        "NAME=[UNAVAILABLE] ADDR=192.0.2.1");
  CHECK(said[2] == "EHLO c.example");
}

TEST_CASE("Identity: XCLIENT tells who has authenticated, where LOGIN is offered",
          "[deliver][identity]") {
  deliver::Client client = a_client();
  smtp::Flags<smtp::Attribute> offered;
  offered.add(smtp::Attribute::addr);
  client.login = "anna b@example.net";
  CHECK(deliver::xclient_lines(client, offered).at(0) == "XCLIENT ADDR=192.0.2.1\r\n");
  offered.add(smtp::Attribute::login);
  CHECK(deliver::xclient_lines(client, offered).at(0) ==
        "XCLIENT LOGIN=anna+20b@example.net ADDR=192.0.2.1\r\n");
  client.login.clear();
  CHECK(deliver::xclient_lines(client, offered).at(0) ==
        "XCLIENT LOGIN=[UNAVAILABLE] ADDR=192.0.2.1\r\n");
}

TEST_CASE("Identity: behind a PROXY header EHLO has the client's name", "[deliver][identity]") {
  World world;
  world.downstream.settings().proxy = true;
  world.pool.identity = Identity::proxy_v2;
  SECTION("which the downstream takes") { CHECK(commands(world)[0] == "EHLO c.example"); }
  SECTION("or ours, where it calls that a syntax error") {
    for (const std::size_t nth : {0U, 1U})
      world.downstream.fail(
          {testing::Phase::ehlo, testing::Fault::Kind::reply, "501 5.5.4 no host name\r\n", nth});
    const auto said = commands(world);
    CHECK(std::vector(said.begin(), said.begin() + 3) ==
          std::vector<std::string>{"EHLO c.example", "HELO c.example", "EHLO mx.example.net"});
  }
}

TEST_CASE("Identity: the PROXY header opens the connection", "[deliver][identity]") {
  World world;
  world.downstream.settings().proxy = true;
  SECTION("version 1") {
    world.pool.identity = Identity::proxy_v1;
    commands(world);
    CHECK(world.downstream.sessions().front().proxy_header.starts_with(
        "PROXY TCP4 192.0.2.1 192.0.2.25 50000 25"));
  }
  SECTION("version 2") {
    world.pool.identity = Identity::proxy_v2;
    commands(world);
    const std::string wanted(
        "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x19\xc3\x50\0\x19", 28);
    CHECK(world.downstream.sessions().front().proxy_header == wanted);
  }
}

TEST_CASE("Identity: a downstream that does not let us say it takes nothing",
          "[deliver][identity][line:36]") {
  World world;
  world.pool.identity = GENERATE(Identity::xforward, Identity::xclient);
  world.listen();
  world.forward();
  CHECK(test::send_message(world) == "451 4.3.0");
  CHECK(world.end() == "");
}

TEST_CASE("Identity: values are xtext, and lines at most 512 octets",
          "[deliver][identity][line:5]") {
  deliver::Client client = a_client();
  client.helo = "[IPv6:2001:db8::1]";
  client.name = std::string(200, 'n') + "+= \x7f";
  for (const auto& lines :
       {deliver::xforward_lines(client, all()), deliver::xclient_lines(client, all())})
    for (const std::string& line : lines) {
      CHECK(line.size() <= 512);
      CHECK(line.ends_with("\r\n"));
      CHECK(line.find("\x7f") == std::string::npos);
      CHECK(line.find("+= ") == std::string::npos);
    }
  // The state ends with ADDR: it stands on the last line, at its end.
  const auto lines = deliver::xclient_lines(client, all());
  CHECK(lines.back().ends_with(" ADDR=192.0.2.1\r\n"));
  client.remote.ip = *IpAddress::parse("2001:db8::1");
  CHECK(deliver::xclient_lines(client, all()).back().ends_with(" ADDR=IPV6:2001:db8::1\r\n"));
  CHECK(deliver::proxy_v1_header(client) == "PROXY UNKNOWN\r\n");  // of two families
  CHECK(deliver::proxy_v2_header(client).size() == 16 + 36);
}
