// drain() and shut_down() in every phase, and a full worker.
#include <string>

#include "catch.hpp"
#include "support/client.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::World;
using testing::Phase;

namespace {

const std::string ehlo = "EHLO c.example\r\n";
const std::string mail_line = ehlo + "MAIL FROM:<a@b.example>\r\n";
const std::string rcpt = mail_line + "RCPT TO:<x@example.net>\r\n";
const std::string data = rcpt + "DATA\r\n";
const std::string body = "a: b\r\n\r\nc\r\n";

}  // namespace

TEST_CASE("Session: a full worker says so and closes", "[session][full]") {
  World world;
  world.deliver_to_maildir();
  {
    Client client(world, {}, true);
    CHECK(client.hear() == "421 4.3.2");
    CHECK(client.ended());
  }
  CHECK(world.end() == "");
}

TEST_CASE("Session: drains as soon as no transaction is open", "[session][drain]") {
  World world;
  world.listen();
  world.forward();
  Client client(world);
  SECTION("at once when it is idle") {
    client.say(GENERATE(std::string(), ehlo));
    world.drain();
    CHECK(client.hear() == "421 4.3.2");
    CHECK(client.ended());
  }
  SECTION("after the message") {
    client.say(GENERATE(mail_line, rcpt));
    world.drain();
    CHECK(client.hear(60s) == "");
    client.say("RCPT TO:<y@example.net>\r\nDATA\r\n");
    CHECK(client.say(body + ".\r\n") == "250 2.0.0, 421 4.3.2");
    CHECK(client.ended());
    CHECK(world.downstream.promised() == 1);
  }
  SECTION("after RSET") {
    client.say(rcpt);
    world.drain();
    CHECK(client.say("RSET\r\n") == "250 2.0.0, 421 4.3.2");
    CHECK(client.ended());
  }
  SECTION("in the body") {
    client.say(data + "a: b\r\n");
    world.drain();
    CHECK(client.hear(60s) == "");
    CHECK(client.say("\r\nc\r\n.\r\n") == "250 2.0.0, 421 4.3.2");
  }
  client.close();
  CHECK(world.end() == "");
}

TEST_CASE("Session: is told to end now", "[session][shutdown][line:28]") {
  struct Row {
    const char* why;
    std::string sent;
    std::string heard;  // after it
    std::size_t promised;
  };
  const auto row = GENERATE(values<Row>({
      {"idle", "", "421 4.3.2", 0},
      {"greeted", ehlo, "421 4.3.2", 0},
      {"MAIL", mail_line, "421 4.3.2", 0},
      {"RCPT", rcpt, "421 4.3.2", 0},
      {"DATA", data, "421 4.3.2", 0},
      {"half a body", data + "a: b\r\n\r\nc", "421 4.3.2", 0},
      {"a message committed", data + body + ".\r\n", "250 2.0.0, 421 4.3.2", 1},
  }));
  CAPTURE(row.why);
  World world;
  world.downstream.settings().think = 10s;
  world.listen();
  world.forward();
  {
    Client client(world);
    client.say(ehlo, 0s);
    const net::Duration until_end_of_data = 65s;  // greeting, EHLO, MAIL, RCPT, DATA: 10 s each
    client.say(row.sent.size() > ehlo.size() ? row.sent.substr(ehlo.size()) : "",
               until_end_of_data - 9s);
    world.shut_down();
    const std::string heard = client.hear(20s);
    CAPTURE(heard);
    CHECK(heard.ends_with(row.heard));
    CHECK(client.ended());
    CHECK(world.running() == 0);
  }
  CHECK(world.end() == "");
  CHECK(world.downstream.promised() == row.promised);
}

TEST_CASE("Session: is told to end while it waits for the downstream", "[session][shutdown]") {
  const Phase phase = GENERATE(Phase::greeting, Phase::ehlo, Phase::mail, Phase::rcpt, Phase::data,
                               Phase::end_of_data);
  CAPTURE(testing::name(phase));
  World world;
  world.downstream.fail({phase, testing::Fault::Kind::hang});
  world.listen();
  world.forward();
  {
    Client client(world);
    client.say(ehlo);
    client.say("MAIL FROM:<a@b.example>\r\n");
    client.say("RCPT TO:<x@example.net>\r\n");
    if (phase >= Phase::data) {
      client.say("DATA\r\n");
      client.say(body + ".\r\n");
    }
    world.shut_down();
    if (phase == Phase::end_of_data) {
      CHECK(client.hear(530s) == "");  // the commit is waited for, whoever asks
      CHECK(client.hear(20s) == "451 4.4.2, 421 4.3.2");
    } else {
      CHECK(client.hear() == "421 4.3.2");
    }
    CHECK(client.ended());
  }
  CHECK(world.end() == "");
  CHECK(world.downstream.promised() == 0);
}
