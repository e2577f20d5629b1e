// What the downstream can do: offered when known, bridged where that is safe, refused where not.
#include <string>
#include <vector>

#include "catch.hpp"
#include "transactions.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::World;

namespace {

std::string ehlo(World& world) {
  Client client(world);
  client.send("EHLO c.example\r\n");
  return client.read();
}

bool has(const std::string& reply, std::string_view keyword) {
  return reply.find(keyword) != std::string::npos;
}

// One transaction while nothing is known of the downstream: the replies behind EHLO's.
std::string transaction(World& world, const std::string& parameters, const std::string& content,
                        const std::string& rcpt = "RCPT TO:<x@example.net>\r\n") {
  world.listen();
  world.forward();
  std::string heard;
  {
    Client client(world);
    client.say("EHLO c.example\r\n");
    heard = client.say("MAIL FROM:<a@b.example>" + parameters + "\r\n" + rcpt + "DATA\r\n");
    if (heard.ends_with("354")) heard += ", " + client.say(content + ".\r\n");
  }
  CHECK(world.end() == "");
  return heard;
}

std::string mail_line(const World& world) {
  for (const std::string& line : world.downstream.sessions().front().commands)
    if (line.rfind("MAIL", 0) == 0) return line;
  return "";
}

}  // namespace

TEST_CASE("SmtpRoute: offers what the downstream was seen to offer", "[deliver][capabilities]") {
  World world;
  auto& theirs = world.downstream.settings().capabilities;
  theirs = {"PIPELINING", "SIZE 1000", "STARTTLS", "AUTH PLAIN"};
  world.listen();
  world.forward();
  const std::string before = ehlo(world);
  for (const char* keyword :
       {"PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "SIZE "})
    CHECK(has(before, keyword));
  CHECK_FALSE(has(before, "SIZE 1000"));
  CHECK(test::send_message(world) == "250 2.0.0");
  const std::string after = ehlo(world);
  CHECK(has(after, "SIZE 1000"));
  for (const char* keyword : {"8BITMIME", "SMTPUTF8", "DSN", "STARTTLS", "AUTH"})
    CHECK_FALSE(has(after, keyword));
  for (const char* keyword : {"PIPELINING", "ENHANCEDSTATUSCODES"}) CHECK(has(after, keyword));
  CHECK(world.end() == "");
}

TEST_CASE("SmtpRoute: DSN parameters go where they are taken, and not elsewhere",
          "[deliver][capabilities][line:13]") {
  World world;
  const bool dsn = GENERATE(true, false);
  if (!dsn) world.downstream.settings().capabilities = {"SIZE"};
  CHECK(transaction(world, " RET=FULL ENVID=x SIZE=10", "a: b\r\n",
                    "RCPT TO:<x@example.net> NOTIFY=NEVER\r\n") ==
        "250 2.1.0, 250 2.0.0, 354, 250 2.0.0");
  CHECK(mail_line(world) == (dsn ? "MAIL FROM:<a@b.example> RET=FULL ENVID=x SIZE=10"
                                 : "MAIL FROM:<a@b.example> SIZE=10"));
  CHECK(world.downstream.ledger()[0].forward_paths[0] ==
        (dsn ? "<x@example.net> NOTIFY=NEVER" : "<x@example.net>"));
}

TEST_CASE("SmtpRoute: 8-bit content needs 8BITMIME", "[deliver][capabilities][line:11]") {
  World world;
  world.downstream.settings().capabilities = {"PIPELINING"};
  SECTION("refused") {
    CHECK(transaction(world, " BODY=8BITMIME", "a: b\r\n\r\n\xc3\xa9\r\n") ==
          "250 2.1.0, 250 2.0.0, 354, 554 5.6.3");
    CHECK(world.downstream.promised() == 0);
  }
  SECTION("bridged, where there is none") {
    CHECK(transaction(world, " BODY=8BITMIME", "a: b\r\n\r\ne\r\n") ==
          "250 2.1.0, 250 2.0.0, 354, 250 2.0.0");
    CHECK(mail_line(world) == "MAIL FROM:<a@b.example>");
  }
}

TEST_CASE("SmtpRoute: SMTPUTF8 is needed by addresses and header sections",
          "[deliver][capabilities][line:12]") {
  World world;
  world.downstream.settings().capabilities = {"PIPELINING", "8BITMIME"};
  SECTION("a recipient is refused alone") {
    CHECK(transaction(world, " SMTPUTF8", "a: b\r\n",
                      "RCPT TO:<x@example.net>\r\nRCPT TO:<\xc3\xa9@example.net>\r\n") ==
          "250 2.1.0, 250 2.0.0, 553 5.6.7, 354, 250 2.0.0");
    CHECK(world.downstream.ledger()[0].forward_paths.size() == 1);
  }
  SECTION("a header section") {
    CHECK(transaction(world, " SMTPUTF8", "Subject: \xc3\xa9\r\n\r\nc\r\n") ==
          "250 2.1.0, 250 2.0.0, 354, 550 5.6.7");
    CHECK(world.downstream.promised() == 0);
  }
  SECTION("bridged, where neither needs it") {
    CHECK(transaction(world, " SMTPUTF8", "Subject: x\r\n\r\nc\r\n") ==
          "250 2.1.0, 250 2.0.0, 354, 250 2.0.0");
    CHECK(mail_line(world) == "MAIL FROM:<a@b.example>");
  }
}

TEST_CASE("SmtpRoute: the downstream's SIZE holds", "[deliver][capabilities][line:17]") {
  World world;
  world.downstream.settings().capabilities = {"SIZE 100"};
  SECTION("as announced") {
    CHECK(transaction(world, " SIZE=101", "") == "250 2.1.0, 552 5.3.4, 554 5.5.1");
  }
  SECTION("as it is") {
    CHECK(transaction(world, "", "a: " + std::string(96, 'x') + "\r\n") ==
          "250 2.1.0, 250 2.0.0, 354, 552 5.3.4");
    CHECK(world.downstream.promised() == 0);
  }
  SECTION("no octet less") {
    CHECK(transaction(world, " SIZE=100", "a: " + std::string(95, 'x') + "\r\n") ==
          "250 2.1.0, 250 2.0.0, 354, 250 2.0.0");
  }
}

TEST_CASE("SmtpRoute: a server without EHLO is spoken to all the same", "[deliver][capabilities]") {
  World world;
  world.downstream.settings().capabilities = {};
  CHECK(transaction(world, " SIZE=9 BODY=8BITMIME", "a: b\r\n") ==
        "250 2.1.0, 250 2.0.0, 354, 250 2.0.0");
  const auto& commands = world.downstream.sessions()[0].commands;
  CHECK(std::vector<std::string>(commands.begin(), commands.begin() + 3) ==
        std::vector<std::string>{"EHLO mx.example.net", "HELO mx.example.net",
                                 "MAIL FROM:<a@b.example>"});
}
