// LMTP (RFC 2033): a reply for each recipient, of which the client hears one.
#include <algorithm>
#include <string>
#include <vector>

#include "catch.hpp"
#include "transactions.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::World;
using testing::Fault;
using testing::Phase;

namespace {

void prepare(World& world) {
  world.pool.protocol = deliver::Protocol::lmtp;
  world.downstream.settings().lmtp = true;
  world.listen();
  world.forward();
}

// MAIL, RCPT for each of `to`, DATA and the message: the reply to the last.
std::string send(World& world, const std::string& to, const std::string& message = test::content,
                 const std::string& expected = "250 2.0.0") {
  Client client(world);
  client.say("EHLO c.example\r\n");
  std::string group = "MAIL FROM:<a@b.example>\r\n";
  std::string heard = "250 2.1.0";
  for (const char each : to) {
    group += fmt::format("RCPT TO:<{}@example.net>\r\n", each);
    heard += ", " + expected;
  }
  CHECK(client.say(group) == heard);
  CHECK(client.say("DATA\r\n") == "354");
  return test::ask(client, message, 1000s);
}

void answer(World& world, std::size_t nth, std::string reply) {
  Fault fault{Phase::end_of_data, Fault::Kind::reply, std::move(reply)};
  fault.nth = nth;
  world.downstream.fail(fault);
}

// Who has been promised delivery, how often each.
std::string got(const World& world) {
  std::string out;
  for (const auto& delivery : world.downstream.ledger())
    if (delivery.promised()) out += delivery.forward_paths[0][1];
  std::sort(out.begin(), out.end());
  return out;
}

bool recorded(const World& world, const std::string& what) {
  return world.log.records.end() !=
         std::find_if(world.log.records.begin(), world.log.records.end(),
                      [&](const auto& line) { return line.find(what) != std::string::npos; });
}

}  // namespace

TEST_CASE("LMTP: says LHLO, and the client hears one reply", "[deliver][lmtp]") {
  World world;
  prepare(world);
  CHECK(send(world, "x") == "250 2.0.0");
  CHECK(send(world, "xyz") == "250 2.0.0");
  CHECK(got(world) == "xxyz");
  const auto& sessions = world.downstream.sessions();
  REQUIRE(sessions.size() == 1);  // kept: nothing is left of the first message's replies
  CHECK(sessions[0].commands[0] == "LHLO mx.example.net");
  CHECK(world.end() == "");
}

TEST_CASE("LMTP: what all recipients heard is the answer", "[deliver][lmtp][line:47]") {
  World world;
  prepare(world);
  SECTION("one recipient's own words") {
    answer(world, 0, "552 5.2.2 his mailbox is full\r\n");
    CHECK(send(world, "x") == "552 5.2.2");
  }
  SECTION("refused for all") {
    answer(world, 0, "552 5.2.2 full\r\n");
    answer(world, 1, "550 5.7.1 no\r\n");
    CHECK(send(world, "xy") == "552 5.2.2");
  }
  SECTION("refused for all, for some not for good: it comes again, and then they go apart") {
    answer(world, 0, "550 5.2.1 disabled\r\n");
    answer(world, 1, "452 4.2.2 full\r\n");
    CHECK(send(world, "xy") == "452 4.2.2");
    Client client(world);
    client.say("EHLO c.example\r\n");
    CHECK(client.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\n") ==
          "250 2.1.0, 250 2.0.0");
    CHECK(client.say("RCPT TO:<y@example.net>\r\n") == "450 4.5.3");
  }
  CHECK(got(world) == "");
  CHECK(world.end() == "");
}

TEST_CASE("LMTP: taken for some, it comes again for the others and is sent to nobody twice",
          "[deliver][lmtp]") {
  World world;
  prepare(world);
  const bool for_good = GENERATE(true, false);
  answer(world, 1, for_good ? "552 5.2.2 full\r\n" : "452 4.2.2 full\r\n");
  CHECK(send(world, "xyz") == "451 4.5.3");
  CHECK(got(world) == "xz");
  CHECK(recorded(world, "\"outcome\":\"partly\""));
  CHECK(recorded(world, "\"answers\":[{\"path\":\"x@example.net\",\"code\":250"));
  SECTION("the client comes with all of them, and those who heard the same go together") {
    Client client(world);
    client.say("EHLO c.example\r\n");
    CHECK(client.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\nRCPT "
                     "TO:<y@example.net>\r\nRCPT TO:<z@example.net>\r\n") ==
          "250 2.1.0, 250 2.0.0, 450 4.5.3, 250 2.0.0");
    client.say("DATA\r\n");
    CHECK(client.say(test::content) == "250 2.0.0");
    CHECK(got(world) == "xz");  // they had it
    SECTION("and he who did not get it hears his own reply") {
      // On the same connection it is the fourth answer.
      answer(world, 3, for_good ? "552 5.2.2 full\r\n" : "250 2.0.0 saved\r\n");
      CHECK(send(world, "y") == (for_good ? "552 5.2.2" : "250 2.0.0"));
      CHECK(got(world) == (for_good ? "xz" : "xyz"));
    }
  }
  SECTION("another message to the same is another message") {
    CHECK(send(world, "x", "Message-Id: <2@c>\r\n\r\nc\r\n.\r\n") == "250 2.0.0");
    CHECK(send(world, "z", "a: b\r\n\r\nother\r\n.\r\n") == "250 2.0.0");
    CHECK(got(world) == "xxzz");
  }
  SECTION("new trace fields and signatures do not make it another") {
    CHECK(send(world, "x", "Received: by c; now\r\nDKIM-Signature: t=2\r\n" + test::content) ==
          "250 2.0.0");
    CHECK(got(world) == "xz");
  }
  SECTION("with a recipient who is new, only he is sent it") {
    CHECK(send(world, "xw") == "250 2.0.0");
    CHECK(got(world) == "wxz");
    CHECK(world.downstream.ledger().back().forward_paths ==
          std::vector<std::string>{"<w@example.net>"});
  }
  SECTION("even if he refuses it, those who have it are not told that it failed") {
    world.downstream.mend();
    // The envelope is told anew on the same connection: replies four and five.
    answer(world, 3, "550 5.7.1 no\r\n");
    CHECK(send(world, "xw") == "451 4.5.3");
    CHECK(got(world) == "xz");
  }
  CHECK(world.end() == "");
}

TEST_CASE("LMTP: of whom no answer is heard, nobody knows", "[deliver][lmtp]") {
  World world;
  prepare(world);
  struct Row {
    Fault::Kind kind;
    const char* octets;
    bool uncertain;
  };
  const auto row = GENERATE(values<Row>({{Fault::Kind::close, "", true},
                                         {Fault::Kind::reset, "", true},
                                         {Fault::Kind::hang, "", true},
                                         {Fault::Kind::reply, "nonsense\r\n", true},
                                         {Fault::Kind::reply, "354 more\r\n", true},
                                         {Fault::Kind::endless_reply, "", true},
                                         {Fault::Kind::reply_close, "421 4.3.2 bye\r\n", false}}));
  Fault fault{Phase::end_of_data, row.kind, row.octets};
  fault.nth = 1;
  fault.once = true;
  world.downstream.fail(fault);
  CHECK(send(world, "xyz") == "451 4.5.3");
  CHECK(got(world)[0] == 'x');
  CHECK(recorded(world, row.uncertain ? "\"outcome\":\"uncertain\"" : "\"outcome\":\"partly\""));
  // The first one has it for certain.
  CHECK(send(world, "x") == "250 2.0.0");
  std::string taken = got(world);
  CHECK(std::count(taken.begin(), taken.end(), 'x') == 1);
  CHECK(send(world, "yz") == "250 2.0.0");
  CHECK(world.end() == "");
}

TEST_CASE("LMTP: a downstream that answers before it has the message has taken nothing",
          "[deliver][lmtp]") {
  World world;
  prepare(world);
  world.downstream.fail({Phase::data, Fault::Kind::reply, "354 go on\r\n552 5.3.4 too big\r\n"});
  CHECK(send(world, "xy") == "552 5.3.4");
  CHECK(got(world) == "");
  CHECK(world.end() == "");
}

TEST_CASE("LMTP: a server that only speaks SMTP is not asked HELO", "[deliver][lmtp]") {
  World world;
  prepare(world);
  world.downstream.settings().lmtp = false;
  CHECK(test::send_message(world) == "451 4.3.0");
  CHECK(world.downstream.sessions()[0].commands == std::vector<std::string>{"LHLO mx.example.net"});
  CHECK(world.end() == "");
}
