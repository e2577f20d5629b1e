// Limits: lines, errors, recipients, messages, sizes, header sections, loops; NUL and bare
// newlines.
#include <string>

#include "catch.hpp"
#include "support/client.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::World;

namespace {

const std::string envelope =
    "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\nDATA\r\n";

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

// Sends one message to a Maildir and returns the reply to its end.
std::string reply_to(World& world, const std::string& content) {
  world.deliver_to_maildir();
  std::string reply;
  {
    Client client(world);
    client.say(envelope);
    reply = client.say(content + ".\r\n", 20s);
    CHECK(client.say("QUIT\r\n") == "221 2.0.0");
  }
  CHECK(world.end() == "");
  const bool stored = reply[0] == '2';
  CHECK(world.files.tree().size() == (stored ? 1u : 0u));
  return reply;
}

}  // namespace

TEST_CASE("Session: says in EHLO how much it takes (RFC 9422)", "[session][limits][line:15]") {
  World world;
  world.deliver_to_maildir();
  world.settings.messages = 7;
  world.settings.recipients = 300;
  Client client(world);
  client.send("EHLO c.example\r\n");
  CHECK(client.read().find("LIMITS MAILMAX=7 RCPTMAX=300\r\n") != std::string::npos);
  client.close();
  CHECK(world.end() == "");
}

// S011.
TEST_CASE("Session: a line without end is refused at 4 KiB", "[session][limits][S011]") {
  const char octet = GENERATE('x', '\r', '\0');
  World world;
  world.deliver_to_maildir();
  Client client(world);
  client.say("EHLO c.example\r\n");
  const std::string chunk(64 * 1024, octet);
  std::string replies;
  std::size_t sent = 0;
  for (; sent < (1ull << 30) && !client.ended(); sent += chunk.size()) {
    client.send(chunk);
    replies += client.read(10ms);
    if (world.running() > 0)
      CHECK(world.session_end().input().size() <= 2 * net::Stream::high_water);
  }
  CHECK(test::codes(replies) == "500 5.5.2");
  CHECK(sent < (1u << 20));  // it closes, and lingers no longer than for some of it
  client.close();
  CHECK(world.end() == "");
}

TEST_CASE("Session: command lines have their limits", "[session][limits][line:23]") {
  World world;
  world.deliver_to_maildir();
  {
    Client client(world);
    client.say("EHLO c.example\r\n");
    CHECK(client.say("NOOP " + std::string(505, 'x') + "\r\n") == "250 2.0.0");  // 512
    CHECK(client.say("NOOP " + std::string(506, 'x') + "\r\n") == "500 5.5.2");
    CHECK(client.say("MAIL FROM:<a@b.example> X" + std::string(4069, 'x') + "\r\n") == "555 5.5.4");
    CHECK_FALSE(client.ended());
    CHECK(client.say("MAIL FROM:<a@b.example> X" + std::string(4070, 'x') + "\r\n") == "500 5.5.2");
    CHECK(client.ended());
  }
  CHECK(world.end() == "");
}

TEST_CASE("Session: too many errors end it", "[session][limits][line:56]") {
  World world;
  world.settings.errors = 3;
  world.deliver_to_maildir();
  {
    Client client(world);
    CHECK(client.say("EHLO c.example\r\nWHAT\r\nRCPT\r\nNOOP\r\nWHAT\r\nNOOP\r\n") ==
          "220, 250, 500 5.5.1, 503 5.5.1, 250 2.0.0, 421 4.7.0");
    CHECK(client.ended());
  }
  CHECK(world.end() == "");
}

TEST_CASE("Session: too many recipients are told to come later", "[session][limits][line:24]") {
  World world;
  world.settings.recipients = 2;
  world.deliver_to_maildir();
  {
    Client client(world);
    client.say("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n");
    CHECK(client.say(
              "RCPT TO:<1@example.net>\r\nRCPT TO:<no@other.example>\r\nRCPT TO:<2@example.net>\r\n"
              "RCPT TO:<3@example.net>\r\nDATA\r\n") ==
          "250 2.1.5, 550 5.7.1, 250 2.1.5, 452 4.5.3, 354");
    CHECK(client.say("a: b\r\n.\r\n") == "250 2.0.0");
  }
  CHECK(world.end() == "");
}

TEST_CASE("Session: so many messages, then another connection", "[session][limits]") {
  World world;
  world.settings.messages = 2;
  world.deliver_to_maildir();
  {
    Client client(world);
    for (int i = 0; i < 2; ++i) {
      client.say(envelope);
      CHECK(client.say("a: b\r\n.\r\n") == "250 2.0.0");
    }
    CHECK(client.say("MAIL FROM:<a@b.example>\r\n") == "421 4.7.0");
    CHECK(client.ended());
  }
  CHECK(world.end() == "");
  CHECK(world.files.tree().size() == 2);
}

TEST_CASE("Session: the size of a message is held to", "[session][limits][size][line:17]") {
  World world;
  world.settings.message_octets = 1000;
  world.settings.memory_octets = GENERATE(100u, 10'000u);
  SECTION("exactly") {
    CHECK(reply_to(world, "a: b\r\n\r\n" + std::string(990, 'x') + "\r\n") == "250 2.0.0");
  }
  SECTION("an octet more") {
    CHECK(reply_to(world, "a: b\r\n\r\n" + std::string(991, 'x') + "\r\n") == "552 5.3.4");
  }
  SECTION("far more") { CHECK(reply_to(world, repeated("a: b\r\n", 100'000)) == "552 5.3.4"); }
  SECTION("stuffed dots do not count") {
    CHECK(reply_to(world, "a: b\r\n\r\n" + repeated("..\r\n", 330)) == "250 2.0.0");  // 998 octets
  }
  SECTION("announced") {
    world.deliver_to_maildir();
    Client client(world);
    client.send("EHLO c.example\r\n");
    CHECK(client.read().find("SIZE 1000\r\n") != std::string::npos);
    CHECK(
        client.say("MAIL FROM:<a@b.example> SIZE=1001\r\nMAIL FROM:<a@b.example> SIZE=1000\r\n") ==
        "552 5.3.4, 250 2.1.0");
    client.close();
    CHECK(world.end() == "");
  }
}

TEST_CASE("Session: the header section is held to its limits",
          "[session][limits][header][line:52]") {
  World world;
  world.settings.header_octets = 4000;
  world.settings.header_fields = 20;
  world.settings.received_fields = 3;
  // In memory, in the file, and across the seam between the two.
  world.settings.memory_octets = GENERATE(100'000u, 100u, 2000u);
  const std::string body = "\r\nbody\r\n";
  SECTION("as large as may be") {
    CHECK(reply_to(world, "a: " + std::string(3993, 'x') + "\r\n" + body) == "250 2.0.0");
  }
  SECTION("larger") {
    CHECK(reply_to(world, "a: " + repeated("x\r\n ", 1000) + "\r\n" + body) == "552 5.3.4");
  }
  SECTION("a large body does not count") {
    CHECK(reply_to(world, "a: b\r\n\r\n" + repeated("some text of a body\r\n", 10'000)) ==
          "250 2.0.0");
  }
  SECTION("fields") { CHECK(reply_to(world, repeated("a: b\r\n", 20) + body) == "250 2.0.0"); }
  SECTION("more fields") { CHECK(reply_to(world, repeated("a: b\r\n", 21) + body) == "552 5.3.4"); }
  SECTION("hops") {
    CHECK(reply_to(world, repeated("Received: by x; y\r\n", 3) + body) == "250 2.0.0");
  }
  SECTION("a loop, whose fields are far down") {
    const std::string field = "a: " + std::string(900, 'x') + "\r\n";
    CHECK(reply_to(world, repeated(field, 3) + repeated("Received: by x; y\r\n", 4) + body) ==
          "554 5.4.6");
  }
}

TEST_CASE("Session: the header section is looked at beyond the spool file",
          "[session][limits][header]") {
  World world;
  world.settings.received_fields = 3;
  world.settings.memory_octets = 1000;
  // 1,001 octets and more go to the file; what follows stays in memory.
  const std::string field = "a: " + std::string(900, 'x') + "\r\n";
  world.deliver_to_maildir();
  {
    Client client(world);
    client.say(envelope);
    client.say(repeated(field, 2));  // settles
    CHECK(client.say(repeated("Received: by x; y\r\n", 4) + "\r\nbody\r\n.\r\n") == "554 5.4.6");
  }
  CHECK(world.end() == "");
}

TEST_CASE("Session: NUL and bare newlines in a message", "[session][newline][line:2][line:51]") {
  struct Row {
    const char* why;
    std::string content;
    const char* rejected;
    const char* normalized;
  };
  const auto row = GENERATE(values<Row>({
      {"clean", "a: b\r\n\r\nc\r\n", "250 2.0.0", "250 2.0.0"},
      {"LF", "a: b\r\n\r\nc\nd\r\n", "550 5.6.11", "250 2.0.0"},
      {"CR", "a: b\r\n\r\nc\rd\r\n", "550 5.6.11", "250 2.0.0"},
      {"LF.LF", "a: b\r\n\r\nc\n.\nd\r\n", "550 5.6.11", "250 2.0.0"},
      {"NUL", std::string("a: b\r\n\r\nc\0d\r\n", 13), "554 5.6.0", "554 5.6.0"},
  }));
  const bool normalize = GENERATE(false, true);
  CAPTURE(row.why, normalize);
  World world;
  if (normalize) world.settings.bare_newline = smtp::BareNewline::normalize;
  CHECK(reply_to(world, row.content) == (normalize ? row.normalized : row.rejected));
  for (const auto& [path, stored] : world.files.tree()) {
    for (std::size_t at = 0; at < stored.size(); ++at) {
      if (stored[at] == '\n') CHECK((at > 0 && stored[at - 1] == '\r'));
    }
  }
}

TEST_CASE("Session: a bare LF ends no command but is seen", "[session][newline]") {
  World world;
  const bool normalize = GENERATE(false, true);
  if (normalize) world.settings.bare_newline = smtp::BareNewline::normalize;
  world.deliver_to_maildir();
  {
    Client client(world);
    CHECK(client.say("EHLO c.example\nNOOP\r\n") ==
          (normalize ? "220, 250, 250 2.0.0" : "220, 500 5.5.2, 250 2.0.0"));
    CHECK(client.say("NO\rOP\r\nRSET\r\n") == "500 5.5.2, 250 2.0.0");
  }
  CHECK(world.end() == "");
}
