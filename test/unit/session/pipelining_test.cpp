// Groups of commands, input before its time, and what is never read as a command.
#include <algorithm>
#include <string>

#include "catch.hpp"
#include "support/client.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::World;

namespace {

const std::string envelope =
    "MAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\nRCPT TO:<y@other.example>\r\n"
    "RCPT TO:<z@example.net>\r\nDATA\r\n";

bool recorded(const World& world, std::string_view what) {
  return std::any_of(world.log.records.begin(), world.log.records.end(),
                     [&](const std::string& each) { return each.find(what) != std::string::npos; });
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("Session: the replies of a group leave in one write (RFC 2920)",
          "[session][pipelining][line:6]") {
  World world;
  world.deliver_to_maildir();
  {
    Client client(world);
    CHECK(client.say("EHLO c.example\r\n") == "220, 250");
    const auto before = world.writes();
    CHECK(client.say(envelope) == "250 2.1.0, 250 2.1.5, 550 5.7.1, 250 2.1.5, 354");
    CHECK(world.writes() == before + 1);
    CHECK(client.say("a: b\r\n\r\nc\r\n.\r\nNOOP\r\nMAIL FROM:<>\r\nRSET\r\nQUIT\r\n") ==
          "250 2.0.0, 250 2.0.0, 250 2.1.0, 250 2.0.0, 221 2.0.0");
    CHECK(client.ended());
  }
  CHECK(world.end() == "");
}

TEST_CASE("Session: one octet per segment is the same as all at once", "[session][pipelining]") {
  for (const auto pieces : {testing::Pieces::whole, testing::Pieces::single}) {
    World world;
    world.deliver_to_maildir();
    {
      Client client(world, {.pieces = pieces});
      CHECK(client.say("EHLO c.example\r\n" + envelope + "a: b\r\n\r\n..c\r\n.\r\nQUIT\r\n", 10s) ==
            "220, 250, 250 2.1.0, 250 2.1.5, 550 5.7.1, 250 2.1.5, 354, 250 2.0.0, 221 2.0.0");
      CHECK(client.ended());
    }
    CHECK(world.end() == "");
    const auto tree = world.files.tree();
    REQUIRE(tree.size() == 1);
    const std::string& stored = tree.begin()->second;
    CHECK(stored.ends_with("\r\na: b\r\n\r\n.c\r\n"));
  }
}

TEST_CASE("Session: content before 354 is noticed", "[session][early][line:8]") {
  World world;
  world.deliver_to_maildir();
  const bool early = GENERATE(false, true);
  {
    Client client(world);
    client.say("EHLO c.example\r\n");
    const std::string body = "a: b\r\n\r\nc\r\n.\r\n";
    if (early) {
      client.say(envelope + body);
    } else {
      client.say(envelope);
      client.say(body);
    }
    client.say("QUIT\r\n");
  }
  CHECK(world.end() == "");
  CHECK(recorded(world, "\"outcome\":\"accepted\""));
  CHECK(recorded(world, "\"early_data\":true") == early);
}

// S010: a body sent after a refused DATA is not read as commands.
TEST_CASE("Session: a body behind a refused DATA starts no transaction", "[session][S010]") {
  struct Row {
    const char* why;
    std::string before, data;
    std::string reply;
  };
  const std::string ehlo = "EHLO c.example\r\n";
  const std::string full = ehlo + "MAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\n";
  const auto row = GENERATE_COPY(values<Row>({
      {"no transaction", ehlo, "DATA\r\n", "503 5.5.1"},
      {"no recipient", ehlo + "MAIL FROM:<a@b.example>\r\n", "DATA\r\n", "503 5.5.1"},
      {"all refused", ehlo + "MAIL FROM:<a@b.example>\r\nRCPT TO:<x@other.example>\r\n", "DATA\r\n",
       "554 5.5.1"},
      {"an argument", full, "DATA now\r\n", "501 5.5.4"},
      {"a bare LF", full, "DATA\n", "500 5.5.2"},
      {"too long", full, "DATA" + std::string(600, ' ') + "x\r\n", "500 5.5.2"},
      {"a control octet", full, "DATA \x01\r\n", "500 5.5.2"},
  }));
  CAPTURE(row.why);
  World world;
  world.deliver_to_maildir();
  {
    Client client(world);
    client.say(row.before);
    const std::string replies =
        client.say(row.data +
                   "Subject of no colon\r\n\r\nRSET\r\nMAIL FROM:<evil@b.example>\r\n"
                   "RCPT TO:<victim@example.net>\r\nDATA\r\nFrom: evil\r\n\r\nhidden\r\n.\r\n");
    CHECK(replies.substr(0, row.reply.size()) == row.reply);
    CHECK(replies.find("354") == std::string::npos);
    CHECK(replies.find("250 2.1") == std::string::npos);
    // Once it has been quiet, it may begin anew.
    if (!client.ended()) {
      CHECK(client.say("RSET\r\nMAIL FROM:<a@b.example>\r\n") == "250 2.0.0, 250 2.1.0");
    }
  }
  CHECK(world.end() == "");
  CHECK(world.files.tree().empty());
}

TEST_CASE("Session: more than the high-water mark can be sent at once", "[session][pipelining]") {
  World world;
  world.deliver_to_maildir();
  {
    Client client(world, {.pieces = GENERATE(testing::Pieces::whole, testing::Pieces::random)});
    client.say("EHLO c.example\r\n");
    constexpr std::size_t count = 30'000;  // 180,000 octets
    client.send(repeated("NOOP\r\n", count));
    const std::string replies = client.read(20s);
    CHECK(replies.size() == count * std::string_view("250 2.0.0 OK\r\n").size());
    CHECK(client.say("QUIT\r\n") == "221 2.0.0");
  }
  CHECK(world.end() == "");
}

TEST_CASE("Session: a client that reads no replies holds few of them, and goes",
          "[session][slow]") {
  World world;
  world.deliver_to_maildir();
  Client client(world, {.window = 16 * 1024});
  client.say("EHLO c.example\r\n");
  // The client's stream takes what it can without its being read, then the network is full.
  client.send(repeated("NOOP\r\n", 200'000));
  world.sim.run_for(10s);
  CHECK(world.running() == 1);
  CHECK(world.session_end().unsent() < 512 * 1024);
  CHECK(world.session_end().input().size() <= net::Stream::high_water + 64 * 1024);
  world.sim.run_for(400s);  // reply_write: 300 s
  CHECK(world.running() == 0);
  client.close();
  CHECK(world.end() == "");
}
