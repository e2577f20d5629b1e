// The matrix of faults rows 1 to 8 and 28, phase by phase: what a
// client hears, and after how long. Which test shows which row:
//
//   1  next hop away              "Row 1" here; simulation/matrix (connect/…)
//   2  next hop answers 421       "Rows 2 to 6" here; simulation/matrix (…/421)
//   3  next hop hangs             "Rows 2 to 6" here, with each limit; simulation/matrix (…/hang)
//   4  next hop ends, resets      "Rows 2 to 6" here; simulation/matrix (…/close, …/reset)
//   5  next hop refuses           "Rows 2 to 6" here; simulation/matrix (…/4yz, …/5yz)
//   6  next hop talks nonsense    "Rows 2 to 6" here; simulation/matrix (…/endless-…)
//   7  an extension is missing    session/extensions_test, deliver/capabilities_test
//   8  TLS to the next hop fails  deliver/tls_test at R; "Row 8" here at F
//  28  a certificate unreadable   session/tls_test at E; integration/tls_test and
//  downstream_tls_test at
//                                 start and reload
//
// MAIL is answered by us: what the downstream makes of it is heard at RCPT, for each recipient.
#include <fmt/format.h>

#include <string>

#include "catch.hpp"
#include "transactions.hpp"
#include "unit/net/made_certificate.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::World;
using testing::Fault;
using testing::Phase;

namespace {

// Larger than what a link holds, so that a downstream that does not read is noticed.
std::string large_content() {
  std::string content = "Subject: large\r\n\r\n";
  while (content.size() < 400'000) content += std::string(70, 'x') + "\r\n";
  return content + ".\r\n";
}

struct Told {
  std::string rcpt, second, data, final;
  net::Duration took{};  // until the first reply that is no 250 or 354, or the last
};

// Waits up to an hour, in steps.
std::string wait_for_reply(Client& client, World& world, net::Duration& took) {
  const auto began = world.sim.now();
  std::string heard = client.hear(0s);
  while (heard.empty() && world.sim.now() - began < 1h) heard = client.hear(100ms);
  took = world.sim.now() - began;
  return heard;
}

Told send(World& world, const std::string& content) {
  Told told;
  Client client(world);
  client.say("EHLO c.example\r\n");
  CHECK(client.say("MAIL FROM:<a@b.example>\r\n") == "250 2.1.0");
  client.send("RCPT TO:<x@example.net>\r\n");
  told.rcpt = wait_for_reply(client, world, told.took);
  net::Duration ignored;
  client.send("RCPT TO:<y@example.net>\r\n");
  told.second = wait_for_reply(client, world, ignored);
  client.send("DATA\r\n");
  told.data = wait_for_reply(client, world, ignored);
  if (told.data != "354") return told;
  client.send(content);
  told.final = wait_for_reply(client, world, told.took);
  return told;
}

bool recorded(const World& world, std::string_view outcome) {
  const std::string wanted = fmt::format("\"outcome\":\"{}\"", outcome);
  for (const std::string& record : world.log.records)
    if (record.find(wanted) != std::string::npos) return true;
  return false;
}

struct Row {
  std::string name;  // number and phase
  Fault fault;
  std::string rcpt, final;  // what the client hears; `rcpt` empty: 250, and the message goes on
  bool uncertain = false;
  net::Duration limit{};  // it takes so long
};

using Kind = Fault::Kind;
const std::string none;
const std::string endless(70'000, 'x');

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"2 K", {Phase::greeting, Kind::reply_close, "421 4.3.2 no\r\n"}, "451 4.3.2", none},
      {"2 E", {Phase::ehlo, Kind::reply_close, "421 4.3.2 no\r\n"}, "451 4.3.2", none},
      {"2 M", {Phase::mail, Kind::reply_close, "421 4.3.2 no\r\n"}, "451 4.3.2", none},
      {"2 R", {Phase::rcpt, Kind::reply_close, "421 4.3.2 no\r\n"}, "451 4.3.2", none},
      {"2 D", {Phase::data, Kind::reply_close, "421 4.3.2 no\r\n"}, none, "451 4.3.2"},
      {"2 B", {Phase::body, Kind::reply_close, "421 4.3.2 no\r\n"}, none, "451 4.3.2"},
      {"2 F", {Phase::end_of_data, Kind::reply_close, "421 4.3.2 no\r\n"}, none, "451 4.3.2"},
      {"3 K", {Phase::greeting, Kind::hang}, "451 4.4.2", none, false, 60s},
      {"3 E", {Phase::ehlo, Kind::hang}, "451 4.4.2", none, false, 60s},
      {"3 M", {Phase::mail, Kind::hang}, "451 4.4.2", none, false, 300s},
      {"3 R", {Phase::rcpt, Kind::hang}, "451 4.4.2", none, false, 300s},
      {"3 D", {Phase::data, Kind::hang}, none, "451 4.4.2", false, 120s},
      {"3 B", {Phase::body, Kind::hang}, none, "451 4.4.2", false, 180s},
      {"3 F", {Phase::end_of_data, Kind::hang}, none, "451 4.4.2", true, 540s},
      {"4 K, FIN", {Phase::greeting, Kind::close}, "451 4.4.2", none},
      {"4 E, FIN", {Phase::ehlo, Kind::close}, "451 4.4.2", none},
      {"4 M, FIN", {Phase::mail, Kind::close}, "451 4.4.2", none},
      {"4 R, FIN", {Phase::rcpt, Kind::close}, "451 4.4.2", none},
      {"4 D, FIN", {Phase::data, Kind::close}, none, "451 4.4.2"},
      {"4 B, FIN", {Phase::body, Kind::close}, none, "451 4.4.2"},
      {"4 F, FIN", {Phase::end_of_data, Kind::close}, none, "451 4.4.2", true},
      {"4 K, RST", {Phase::greeting, Kind::reset}, "451 4.4.2", none},
      {"4 E, RST", {Phase::ehlo, Kind::reset}, "451 4.4.2", none},
      {"4 M, RST", {Phase::mail, Kind::reset}, "451 4.4.2", none},
      {"4 R, RST", {Phase::rcpt, Kind::reset}, "451 4.4.2", none},
      {"4 D, RST", {Phase::data, Kind::reset}, none, "451 4.4.2"},
      {"4 B, RST", {Phase::body, Kind::reset}, none, "451 4.4.2"},
      {"4 F, RST", {Phase::end_of_data, Kind::reset}, none, "451 4.4.2", true},
      {"5 E, 4yz", {Phase::ehlo, Kind::reply, "450 4.7.1 not you\r\n"}, "451 4.3.0", none},
      {"5 M, 4yz", {Phase::mail, Kind::reply, "450 4.1.8 who?\r\n"}, "450 4.1.8", none},
      {"5 M, 5yz", {Phase::mail, Kind::reply, "550 5.1.8 who?\r\n"}, "550 5.1.8", none},
      {"5 R, 4yz", {Phase::rcpt, Kind::reply, "450 4.2.0 later\r\n"}, "450 4.2.0", none},
      {"5 R, 5yz", {Phase::rcpt, Kind::reply, "550 5.1.1 no\r\n"}, "550 5.1.1", none},
      {"5 D, 4yz", {Phase::data, Kind::reply, "452 4.3.1 full\r\n"}, none, "452 4.3.1"},
      {"5 D, 5yz", {Phase::data, Kind::reply, "554 5.7.0 no\r\n"}, none, "554 5.7.0"},
      {"5 F, 4yz", {Phase::end_of_data, Kind::reply, "452 4.3.1 full\r\n"}, none, "452 4.3.1"},
      {"5 F, 5yz", {Phase::end_of_data, Kind::reply, "554 5.6.0 no\r\n"}, none, "554 5.6.0"},
      {"6 K", {Phase::greeting, Kind::reply, "hello\r\n"}, "451 4.3.0", none},
      {"6 E", {Phase::ehlo, Kind::endless_reply}, "451 4.3.0", none},
      {"6 M", {Phase::mail, Kind::reply, "25\r\n"}, "451 4.3.0", none},
      {"6 M, endless line", {Phase::mail, Kind::endless_line}, "451 4.3.0", none},
      {"6 R", {Phase::rcpt, Kind::reply, "250-a\r\n550 b\r\n"}, "451 4.3.0", none},
      {"6 R, over 64 KiB",
       {Phase::rcpt, Kind::reply, "250 " + endless + "\r\n"},
       "451 4.3.0",
       none},
      {"6 R, endless reply", {Phase::rcpt, Kind::endless_reply}, "451 4.3.0", none},
      {"6 D", {Phase::data, Kind::reply, "999 x\r\n"}, none, "451 4.3.0"},
      {"6 D, endless line", {Phase::data, Kind::endless_line}, none, "451 4.3.0"},
      {"6 B", {Phase::body, Kind::reply, "?\r\n"}, none, "451 4.3.0"},
      {"6 F", {Phase::end_of_data, Kind::reply, "taken\r\n"}, none, "451 4.3.0", true},
      {"6 F, endless reply", {Phase::end_of_data, Kind::endless_reply}, none, "451 4.3.0", true},
  };
  return all;
}

}  // namespace

TEST_CASE("Rows 2 to 6: whatever the next hop does, in each phase", "[deliver][faults]") {
  const Row row = GENERATE(from_range(rows()));
  CAPTURE(row.name);
  World world(1, {.window = 16 * 1024});
  world.downstream.fail(row.fault);
  world.listen();
  world.forward();
  const Told told = send(world, large_content());
  // A recipient is refused for himself; all else is about the next hop, or about the sender.
  const bool alone = row.fault.phase == Phase::rcpt && row.name.front() == '5';
  const bool before_data = !row.rcpt.empty();
  CHECK(told.rcpt == (before_data ? row.rcpt : "250 2.0.0"));
  CHECK(told.second == (before_data && !alone ? row.rcpt : "250 2.0.0"));
  CHECK(told.data == (before_data && !alone ? "554 5.5.1" : "354"));
  CHECK(told.final == (alone ? "250 2.0.0" : row.final));
  if (row.limit > 0s) {
    CHECK(told.took >= row.limit);
    CHECK(told.took <= row.limit + 2s);
  }
  // I1 to I3: nothing is promised; what nobody knows is on record.
  CHECK(world.downstream.promised() == (alone ? 1 : 0));
  CHECK(recorded(world, "uncertain") == row.uncertain);
  CHECK(recorded(world, "accepted") == alone);
  const bool holds_on = row.fault.phase == Phase::body && row.fault.kind == Kind::hang;
  CHECK(world.end(holds_on ? world.network.served() : 0) == "");
}

TEST_CASE("Row 1: nobody is there", "[deliver][faults]") {
  World world;
  world.listen();
  world.pool.max_connections = 1;
  world.forward();
  SECTION("K: clients are greeted all the same; R") {
    const auto why = GENERATE(Errc::refused, Errc::unreachable);
    world.network.fail(World::first, why);
    for (int i = 0; i < 3; ++i) {
      const Told told = send(world, test::content);
      CHECK(told.rcpt == "451 4.4.1");
      CHECK(told.second == "451 4.4.1");
    }
  }
  SECTION("R: no answer for 30 s") {
    world.network.silence(World::first);
    const Told told = send(world, test::content);
    CHECK(told.rcpt == "451 4.4.1");
    CHECK(told.took >= 30s);
    CHECK(told.took <= 32s);
  }
  SECTION("F: it went while the body came, when the connection was lent to others") {
    Client slow(world);
    slow.say("EHLO c.example\r\n");
    CHECK(slow.say(test::envelope("slow") + "DATA\r\n") == "250 2.1.0, 250 2.0.0, 354");
    CHECK(test::send_message(world, "quick") == "250 2.0.0");  // on the same connection
    world.sim.run_for(60s);                                    // which is not kept for so long
    world.network.fail(World::first, Errc::refused);
    CHECK(slow.say(test::content) == "451 4.4.1");
    CHECK(recorded(world, "refused"));
    CHECK(world.downstream.promised() == 1);
  }
  CHECK(world.end() == "");
}

TEST_CASE("Row 8: TLS fails when the connection is opened anew at the end of data (F)",
          "[deliver][faults][tls]") {
  static const auto made = testing::make_certificate({.names = {"mx.example.net"}});
  const auto server = *net::TlsServer::make({});
  server->use(*net::TlsCertificates::make({made.pair()}));
  World world;
  world.downstream.settings().tls = server.get();
  world.downstream.settings().capabilities.push_back("STARTTLS");
  world.pool.tls = {deliver::TlsUse::require, *net::TlsClient::make(net::TlsTrust::anybody, {})};
  world.pool.max_connections = 1;
  world.listen();
  world.forward();
  Client slow(world);
  slow.say("EHLO c.example\r\n");
  CHECK(slow.say(test::envelope("slow") + "DATA\r\n") == "250 2.1.0, 250 2.0.0, 354");
  CHECK(test::send_message(world, "quick") == "250 2.0.0");
  world.sim.run_for(60s);
  world.downstream.fail({Phase::handshake, Kind::close});
  CHECK(slow.say(test::content) == "451 4.7.5");
  CHECK(world.downstream.promised() == 1);
  slow.close();
  CHECK(world.end() == "");
}
