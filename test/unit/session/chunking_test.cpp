// BDAT (RFC 3030): messages in counted chunks.
#include <string>

#include "catch.hpp"
#include "support/client.hpp"

using namespace postern;
using test::Client;
using test::World;

namespace {

const std::string envelope =
    "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\n";

std::string bdat(std::string_view octets, bool last = false) {
  return "BDAT " + std::to_string(octets.size()) + (last ? " LAST\r\n" : "\r\n") +
         std::string(octets);
}

// A client that has given its envelope, and a downstream that knows nothing of chunks.
struct Chunks {
  explicit Chunks(std::size_t most_octets = 1 << 20) {
    world.settings.message_octets = most_octets;
    world.listen();
    world.forward();
    client.emplace(world);
    client->say(envelope);
  }
  std::string say(std::string_view octets) { return client->say(octets); }
  // The message that the downstream has, behind our Received field.
  std::string delivered() {
    REQUIRE(world.downstream.promised() == 1);
    const std::string content = world.downstream.ledger().front().content;
    return content.substr(content.find("\r\nSubject:") + 2);
  }
  void end() {
    client->close();
    CHECK(world.end() == "");
  }

  World world;
  std::optional<Client> client;
};

}  // namespace

TEST_CASE("Session: offers CHUNKING", "[session][bdat]") {
  World world;
  world.deliver_to_maildir();
  Client client(world);
  client.send("EHLO c.example\r\n");
  CHECK(client.read().find("250-CHUNKING\r\n") != std::string::npos);
  client.close();
  CHECK(world.end() == "");
}

TEST_CASE("Session: chunks arrive as one message", "[session][bdat]") {
  Chunks chunks;
  const std::string head = "Subject: chunks\r\n\r\n", body = "one\r\ntwo\r\n";
  SECTION("one chunk") {
    CHECK(chunks.say(bdat(head + body, true)) == "250 2.0.0");
    CHECK(chunks.delivered() == head + body);
  }
  SECTION("several, each with its reply") {
    CHECK(chunks.say(bdat(head)) == "250 2.0.0");
    CHECK(chunks.say(bdat("one\r")) == "250 2.0.0");
    CHECK(chunks.say(bdat("\ntwo\r\n")) == "250 2.0.0");
    CHECK(chunks.say("BDAT 0 LAST\r\n") == "250 2.0.0");
    CHECK(chunks.delivered() == head + body);
  }
  SECTION("pipelined with what follows") {
    CHECK(chunks.say(bdat(head) + bdat(body, true) + "RSET\r\nNOOP\r\n") ==
          "250 2.0.0, 250 2.0.0, 250 2.0.0, 250 2.0.0");
    CHECK(chunks.delivered() == head + body);
  }
  SECTION("octet by octet") {
    for (const char octet : bdat(head + body, true)) {
      chunks.client->send(std::string_view(&octet, 1));
      chunks.world.run_for(std::chrono::milliseconds(1));
    }
    CHECK(chunks.client->hear() == "250 2.0.0");
    CHECK(chunks.delivered() == head + body);
  }
  SECTION("dots mean nothing, and the downstream's are stuffed") {
    const std::string dots = ".one\r\n.\r\n..\r\nRSET\r\n";
    CHECK(chunks.say(bdat(head + dots, true)) == "250 2.0.0");
    CHECK(chunks.delivered() == head + dots);
  }
  SECTION("a last line without an end gets one for the downstream") {
    CHECK(chunks.say(bdat(head + "no end", true)) == "250 2.0.0");
    CHECK(chunks.delivered() == head + "no end\r\n");
  }
  chunks.end();
}

TEST_CASE("Session: what chunks may not hold", "[session][bdat][line:2]") {
  Chunks chunks;
  SECTION("a bare LF") {
    CHECK(chunks.say(bdat("Subject: x\r\n\r\na\nb\r\n", true)) == "550 5.6.11");
  }
  SECTION("a CR at its very end") {
    CHECK(chunks.say(bdat("Subject: x\r\n\r\na\r", true)) == "550 5.6.11");
  }
  SECTION("a NUL") {
    CHECK(chunks.say(bdat(std::string("a: b\r\n\r\n\0\r\n", 11), true)) == "554 5.6.0");
  }
  SECTION("refused in the first chunk, what follows has no transaction, and is no command") {
    CHECK(chunks.say(bdat("a\nb\r\n") + bdat("RSET\r\n", true) + "NOOP\r\n") ==
          "550 5.6.11, 503 5.5.1, 250 2.0.0");
  }
  CHECK(chunks.world.downstream.promised() == 0);
  CHECK(chunks.say("MAIL FROM:<a@b.example>\r\n") == "250 2.1.0");
  chunks.end();
}

TEST_CASE("Session: chunks that together are too big", "[session][bdat]") {
  Chunks chunks(1000);
  const std::string line(98, 'x');
  std::string replies;
  for (int i = 0; i < 10; ++i) replies = chunks.say(bdat(line + "\r\n"));
  CHECK(replies == "250 2.0.0");
  CHECK(chunks.say(bdat("x")) == "552 5.3.4");
  CHECK(chunks.say("BDAT 0 LAST\r\n") == "503 5.5.1");
  CHECK(chunks.world.downstream.promised() == 0);
  chunks.end();
}

TEST_CASE("Session: between chunks", "[session][bdat][line:6][line:9]") {
  Chunks chunks;
  CHECK(chunks.say(bdat("Subject: x\r\n\r\n")) == "250 2.0.0");
  SECTION("no other transaction can begin, and no DATA is mixed in") {
    CHECK(chunks.say("DATA\r\n") == "503 5.5.1");
    CHECK(chunks.say("MAIL FROM:<a@b.example>\r\n") == "503 5.5.1");
    CHECK(chunks.say("RCPT TO:<y@example.net>\r\n") == "503 5.5.1");
    CHECK(chunks.say(bdat("body\r\n", true)) == "250 2.0.0");
    CHECK(chunks.delivered() == "Subject: x\r\n\r\nbody\r\n");
  }
  SECTION("RSET forgets them") {
    CHECK(chunks.say("RSET\r\n") == "250 2.0.0");
    CHECK(chunks.say(bdat("body\r\n", true)) == "503 5.5.1");
    CHECK(chunks.world.downstream.promised() == 0);
  }
  SECTION("the client goes") {
    chunks.client->close();
    chunks.world.run_until_idle();
    CHECK(chunks.world.downstream.promised() == 0);
  }
  chunks.end();
}

TEST_CASE("Session: a client goes, or is silent, within a chunk", "[session][bdat]") {
  Chunks chunks;
  chunks.client->send("BDAT 1000 LAST\r\nSubject: x\r\n");
  SECTION("gone") { chunks.client->close(); }
  SECTION("reset") { chunks.client->reset(); }
  SECTION("silent") {
    CHECK(chunks.client->hear(std::chrono::hours(1)) == "421 4.4.2");
    CHECK(chunks.client->ended());
  }
  chunks.world.run_until_idle();
  CHECK(chunks.world.downstream.promised() == 0);
  chunks.end();
}

TEST_CASE("Session: plugins that refuse DATA refuse the first chunk", "[session][bdat]") {
  struct Refuser final : plugin::PluginOf<Refuser> {
    struct Settings {};
    static void describe(policy::Schema<Settings>&) {}
    void setup(plugin::Hooks& hooks) override { hooks.on_data(this, &Refuser::decide); }
    plugin::Verdict decide(plugin::Transaction& transaction) {
      ahead = transaction.session().talks_ahead();
      return plugin::Verdict::reject({5, 7, 1}, "no data");
    }
    bool ahead = false;
  };
  World world;
  world.add<Refuser>("refuser");
  world.load("refuser");
  world.listen();
  world.forward();
  Client client(world);
  client.say(envelope);
  CHECK(client.say(bdat("RSET\r\n") + bdat("QUIT\r\n", true) + "NOOP\r\n") ==
        "554 5.7.1, 503 5.5.1, 250 2.0.0");
  CHECK(world.downstream.promised() == 0);
  client.close();
  CHECK(world.end() == "");
}
