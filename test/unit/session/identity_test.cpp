// Peers that tell who the client is: PROXY, XCLIENT, XFORWARD. Case S020 and lines 5, 20 to 22 and
// 58 of docs/protocol-lines.md.
#include <postern/facts/client_name.hpp>
#include <postern/plugin.hpp>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::contains;
using testing::Harness;

namespace {

std::string heard;  // what Ear was asked, in order

}  // namespace

namespace postern::plugins {
namespace {

// Notes whom it is asked about; refuses clients of 203.0.113.0/24 where `at` says, relays for
// those of 10.0.0.0/8.
class Ear final : public PluginOf<Ear> {
 public:
  struct Settings {
    std::string at;
    std::chrono::milliseconds wait{0};
    std::chrono::milliseconds slow{0};
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("at", &Settings::at, "where it refuses");
    schema.key("wait", &Settings::wait, "how long it thinks at connect");
    schema.key("slow", &Settings::slow, "how long the reply to MAIL waits");
  }
  void setup(Hooks& hooks) override {
    hooks.on_admit(this, &Ear::admit);
    hooks.on_connect(this, &Ear::relay);
    hooks.on_connect(this, &Ear::connect);
    hooks.on_helo(this, &Ear::helo);
    hooks.on_mail(this, &Ear::mail);
  }

 private:
  Verdict decide(const char* hook, const IpAddress& client, const Settings& mine) const {
    heard += fmt::format("{} {}, ", hook, client.text());
    static const Network bad = *Network::parse("203.0.113.0/24");
    if (mine.at != hook || !bad.contains(client)) return Verdict::next();
    return Verdict::reject({5, 7, 1}, "not you");
  }
  Verdict admit(Arrival& arrival) { return decide("admit", arrival.client.ip, settings(arrival)); }
  void relay(Session& session) {
    static const Network ours = *Network::parse("10.0.0.0/8");
    if (ours.contains(session.client_address())) session.permit_relay("ours");
  }
  Task<Verdict> connect(Session& session) {
    const Settings mine = settings(session);
    if (mine.wait.count() > 0) {
      auto slept = co_await coro::sleep(mine.wait);
      if (!slept) co_return Verdict::failed(slept.error());
    }
    co_return decide("connect", session.client_address(), mine);
  }
  Verdict helo(Hello& hello) {
    heard += hello.name() + (hello.extended() ? "+" : "") + ": ";
    return decide("helo", hello.session().client_address(), settings(hello));
  }
  Verdict mail(Transaction& tx) {
    const auto* name = tx.facts().find<facts::ClientName>();
    if (name) heard += name->name + ": ";
    tx.session().slow_down(settings(tx).slow);
    return decide("mail", tx.session().client_address(), settings(tx));
  }
};

}  // namespace
}  // namespace postern::plugins

namespace {

constexpr const char* v1 = "PROXY TCP4 198.51.100.7 192.0.2.99 4000 2525\r\n";
const std::string v2_local("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16);

struct World : Harness {
  World() {
    heard.clear();
    const auto peers = {*Network::parse("10.0.0.0/24")};
    listener.proxy_from = peers;
    add<plugins::Ear>("ear");
  }
  // The lists are those of one way of telling.
  void tells_by(const std::string& way) {
    const auto peers = {*Network::parse("10.0.0.0/24")};
    listener = {};
    if (contains(way, "proxy")) listener.proxy_from = peers;
    if (contains(way, "xclient")) listener.xclient_from = peers;
    if (contains(way, "xforward")) listener.xforward_from = peers;
  }
  void arrive(const char* address = "10.0.0.1") { client.connect(address); }
  int say(const std::string& line) { return client.command(line).code; }
  // A whole message to somebody of ours; the reply to the last command that was not refused.
  int send_message(const std::string& to = "x@example.net") {
    const int mail = say("MAIL FROM:<a@b.example>");
    if (mail != 250) return mail;
    const int rcpt = say("RCPT TO:<" + to + ">");
    if (rcpt != 250) return rcpt;
    return client.message().code;
  }
  const std::string& record(std::size_t index) { return log.records.at(index); }
  std::size_t complaints() const {
    std::size_t count = 0;
    for (const std::string& line : log.lines)
      if (!line.starts_with("debug")) ++count;
    return count;
  }
};

}  // namespace

TEST_CASE("PROXY: whoever is told is the client for everything that follows", "[session][proxy]") {
  World h;
  h.load("ear");
  h.pool.identity = deliver::Identity::proxy_v1;
  h.downstream.settings().proxy = true;
  h.arrive();
  h.client.send(v1);
  CHECK(h.client.greeting().code == 220);
  CHECK(h.say("EHLO c.example") == 250);
  CHECK(h.send_message() == 250);
  CHECK(heard ==
        "admit 198.51.100.7, connect 198.51.100.7, c.example+: helo 198.51.100.7, "
        "mail 198.51.100.7, ");
  CHECK(h.say("QUIT") == 221);
  CHECK(h.end() == "");
  const auto& delivery = h.downstream.ledger().at(0);
  CHECK(contains(delivery.content, "c.example (unknown [198.51.100.7])"));
  CHECK(h.downstream.sessions().at(0).proxy_header ==
        "PROXY TCP4 198.51.100.7 192.0.2.99 4000 2525");
  for (const std::string& record : h.log.records) {
    CHECK(contains(record, R"("client":"198.51.100.7","port":4000,"via":"10.0.0.1")"));
  }
  CHECK(h.log.records.size() == 2);
}

TEST_CASE("PROXY: input behind the header is kept, and is not early", "[session][proxy]") {
  const bool at_once = GENERATE(true, false);
  World h;
  h.load("ear", "wait = \"1s\"");
  h.arrive();
  const std::string octets = std::string(v1) + "EHLO c.example\r\n";
  if (at_once)
    h.client.send(octets);
  else
    for (const char octet : octets) {
      h.client.send({&octet, 1});
      h.run_for(1ms);
    }
  CHECK(h.client.greeting().code == 220);
  CHECK(h.client.reply().code == 250);
  CHECK(h.end() == "");
  // One octet at a time the client has spoken into our second of thinking.
  CHECK(contains(h.record(0), "early_talker") == !at_once);
}

TEST_CASE("PROXY: no header, no octet of SMTP", "[session][proxy][line:22]") {
  struct Row {
    const char* why;
    std::string octets;
    net::Duration time;  // until it is closed
  };
  const auto row = GENERATE(values<Row>({
      {"nothing", "", 5s},
      {"half a header", "PROXY TCP4 192.0.2.1", 5s},
      {"SMTP", "EHLO c.example\r\n", 0s},
      {"a broken one", "PROXY TCP4 192.0.2.1 192.0.2.2 25\r\n", 0s},
      {"over 107 octets", "PROXY UNKNOWN " + std::string(100, 'x') + "\r\n", 0s},
      {"LF", "PROXY UNKNOWN\n", 0s},
  }));
  CAPTURE(row.why);
  World h;
  h.load("ear");
  h.arrive();
  h.client.send(row.octets);
  const auto began = h.sim.elapsed();
  CHECK(h.client.rest().empty());
  const auto took = h.sim.elapsed() - began;
  CHECK(took >= row.time);
  CHECK(took < row.time + 100ms);
  CHECK(h.client.transcript().find("220") == std::string::npos);
  CHECK(h.end() == "");
  CHECK(heard == "");
  CHECK(h.log.records.empty());
  CHECK(h.complaints() == 1);
}

TEST_CASE("PROXY: a header of version 2 may be as long as it can say", "[session][proxy]") {
  World h;
  h.load("ear");
  h.arrive();
  std::string header(
      "\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff\xc6\x33\x64\x07\xc0\0\2\x63\x0f\xa0\x09\xdd", 28);
  header += std::string("\x04\xff\xf0", 3) + std::string(65'520, '\0');  // one TLV that pads
  h.client.send(header + "EHLO c.example\r\n");
  CHECK(h.client.greeting().code == 220);
  CHECK(h.client.reply().code == 250);
  CHECK(contains(heard, "helo 198.51.100.7"));
  CHECK(h.end() == "");
}

TEST_CASE("PROXY: the five seconds are for all of the header", "[session][proxy]") {
  World h;
  h.load("ear");
  h.arrive();
  for (const char octet : std::string(v1).substr(0, 10)) {
    h.client.send({&octet, 1});
    h.run_for(600ms);
  }
  CHECK(h.client.rest().empty());
  CHECK(h.sim.elapsed() < 6100ms);
  CHECK(h.end() == "");
}

TEST_CASE("PROXY: is an unknown command for everybody else, and the second time",
          "[session][proxy]") {
  const bool listed = GENERATE(true, false);
  World h;
  h.load("ear");
  h.arrive(listed ? "10.0.0.1" : "10.0.1.1");
  if (listed) h.client.send(v1);
  CHECK(h.client.greeting().code == 220);
  CHECK(h.say("PROXY TCP4 198.51.100.8 192.0.2.99 4000 25") == 500);
  CHECK(h.say("EHLO c.example") == 250);
  CHECK(h.say("PROXY UNKNOWN") == 500);
  const std::string client = listed ? "198.51.100.7" : "10.0.1.1";
  CHECK(heard == fmt::format("admit {0}, connect {0}, c.example+: helo {0}, ", client));
  CHECK(h.end() == "");
}

TEST_CASE("PROXY: health checks are answered and leave no trace", "[session][proxy]") {
  const std::string way = GENERATE("connect", "local", "local and quit", "unknown, EHLO, quit");
  CAPTURE(way);
  World h;
  h.load("ear", "wait = \"1s\"");
  h.arrive();
  if (way.starts_with("local")) h.client.send(v2_local);
  if (way.starts_with("unknown")) h.client.send("PROXY UNKNOWN\r\n");
  if (way != "connect") CHECK(h.client.greeting().code == 220);
  if (contains(way, "EHLO")) CHECK(h.say("EHLO check.example") == 250);
  if (contains(way, "quit")) CHECK(h.say("QUIT") == 221);
  CHECK(h.sim.elapsed() < 10ms);
  CHECK(h.end() == "");
  CHECK(heard == "");
  CHECK(h.log.records.empty());
  CHECK(h.complaints() == 0);
}

TEST_CASE("PROXY: who sends mail on the proxy's own connection is judged as the proxy",
          "[session][proxy]") {
  World h;
  h.load("ear");
  h.arrive();
  h.client.send(v2_local);
  CHECK(h.client.greeting().code == 220);
  CHECK(h.say("EHLO lb.example") == 250);
  CHECK(h.send_message() == 250);
  CHECK(heard == "admit 10.0.0.1, connect 10.0.0.1, lb.example+: helo 10.0.0.1, mail 10.0.0.1, ");
  CHECK(h.say("QUIT") == 221);
  CHECK(h.end() == "");
  CHECK(h.log.records.size() == 2);
  CHECK_FALSE(contains(test::all_records(h), "\"via\""));
}

TEST_CASE("PROXY: a server that ends does not wait for headers", "[session][proxy]") {
  const bool drains = GENERATE(true, false);
  World h;
  h.load("ear");
  h.arrive();
  h.run_for(1s);
  if (drains)
    h.drain();
  else
    h.shut_down();
  h.run_for(1s);
  CHECK(h.client.rest().empty());
  CHECK(h.end() == "");
}

TEST_CASE("XCLIENT: is offered to those who are listed by their own address",
          "[session][xclient][line:20]") {
  struct Row {
    const char* way;
    const char* address;
    const char* header;
    bool offered;
  };
  const auto row = GENERATE(values<Row>({
      {"xclient", "10.0.0.1", "", true},
      {"xclient", "10.0.1.1", "", false},
      {"xclient", "127.0.0.1", "", false},
      {"xforward", "10.0.0.1", "", false},
      {"proxy", "10.0.0.1", "PROXY TCP4 10.0.0.2 192.0.2.25 1 25\r\n", false},
      {"proxy xclient", "10.0.0.1", v1, true},
  }));
  CAPTURE(row.way, row.address);
  World h;
  h.tells_by(row.way);
  h.load("ear");
  h.arrive(row.address);
  h.client.send(row.header);
  CHECK(h.client.greeting().code == 220);
  const std::string offers = h.client.command("EHLO mx.example").text();
  CHECK(
      contains(offers, "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT REVERSE_NAME") ==
      row.offered);
  const auto reply = h.client.command("XCLIENT ADDR=192.0.2.1");
  const bool is_peer = !row.offered && std::string(row.address) == "10.0.0.1";
  CHECK(reply.code == (row.offered ? 220 : is_peer ? 550 : 502));
  CHECK(h.end() == "");
}

TEST_CASE("XCLIENT: a new client is judged anew, from the greeting on",
          "[session][xclient][line:58]") {
  World h;
  h.tells_by("xclient");
  h.load("ear");
  h.pool.identity = deliver::Identity::xforward;
  h.downstream.settings().capabilities.push_back("XFORWARD NAME ADDR PORT PROTO HELO SOURCE");
  h.arrive();
  CHECK(h.client.greeting().code == 220);
  CHECK(h.say("EHLO proxy.example") == 250);
  CHECK(heard == "");
  CHECK(h.say("XCLIENT HELO=client.example PROTO=SMTP") == 220);
  CHECK(h.say("XCLIENT NAME=name.example REVERSE_NAME=r.example ADDR=198.51.100.7 PORT=4000") ==
        220);
  CHECK(heard == "admit 198.51.100.7, connect 198.51.100.7, ");
  CHECK(h.say("MAIL FROM:<a@b.example>") == 503);
  CHECK_FALSE(contains(h.client.command("EHLO proxy.example").text(), "XCLIENT"));
  CHECK(h.say("XCLIENT ADDR=198.51.100.8") == 550);
  CHECK(h.send_message() == 250);
  CHECK(heard ==
        "admit 198.51.100.7, connect 198.51.100.7, client.example: helo 198.51.100.7, "
        "name.example: mail 198.51.100.7, ");
  CHECK(h.say("QUIT") == 221);
  CHECK(h.end() == "");
  CHECK(contains(h.record(0), R"("client":"198.51.100.7","port":4000,"via":"10.0.0.1")"));
  CHECK(contains(
      h.record(0),
      R"({"fact":"client.name","by":"peer","name":"name.example","names":["r.example"]})"));
  CHECK(contains(h.downstream.ledger().at(0).content,
                 "client.example (name.example [198.51.100.7])"));
  const auto& commands = h.downstream.sessions().at(0).commands;
  CHECK(std::count(commands.begin(), commands.end(),
                   "XFORWARD NAME=name.example ADDR=198.51.100.7 PORT=4000 PROTO=SMTP "
                   "HELO=client.example SOURCE=REMOTE") == 1);
}

TEST_CASE("XCLIENT: who is told is no peer, unless he is listed too", "[session][xclient]") {
  World h;
  h.tells_by("xclient xforward");
  h.load("ear");
  h.arrive();
  CHECK(h.client.greeting().code == 220);
  CHECK(h.say("XCLIENT ADDR=10.0.0.2 NAME=inner.example HELO=inner.example") == 220);
  CHECK(contains(h.client.command("EHLO c.example").text(), "XFORWARD"));
  CHECK(h.say("XCLIENT ADDR=198.51.100.7") == 220);
  const std::string offers(h.client.command("EHLO c.example").text());
  CHECK_FALSE(contains(offers, "XCLIENT"));
  CHECK_FALSE(contains(offers, "XFORWARD"));
  CHECK(h.say("XFORWARD ADDR=198.51.100.8") == 550);
  CHECK(h.say("XCLIENT ADDR=10.0.0.1") == 550);
  // Nothing that was told of the first client is left.
  heard.clear();
  CHECK(h.send_message() == 250);
  CHECK(heard == "mail 198.51.100.7, ");
  CHECK(h.say("QUIT") == 221);
  CHECK(h.end() == "");
  CHECK_FALSE(contains(test::all_records(h), "inner.example"));
}

TEST_CASE("XCLIENT: rights of the peer are not the client's", "[session][xclient][line:20]") {
  World h;
  h.tells_by("xclient");
  h.load("ear");
  const auto relayed = [&](const std::string& told) {
    h.arrive();
    CHECK(h.client.greeting().code == 220);
    if (!told.empty()) CHECK(h.say("XCLIENT " + told) == 220);
    CHECK(h.say("EHLO c.example") == 250);
    return h.send_message("x@elsewhere.example");
  };
  CHECK(relayed("") == 250);  // Ear relays for 10/8
  CHECK(relayed("ADDR=198.51.100.7") == 550);
  CHECK(relayed("ADDR=[UNAVAILABLE]") == 550);
  CHECK(relayed("ADDR=10.1.1.1") == 250);
  CHECK(relayed("NAME=x.example") == 250);
  CHECK(h.end() == "");
}

TEST_CASE("XCLIENT: a client that is refused hears so instead of the greeting",
          "[session][xclient]") {
  const std::string at = GENERATE("admit", "connect");
  World h;
  h.tells_by("xclient");
  h.load("ear", fmt::format("at = \"{}\"", at));
  h.arrive();
  CHECK(h.client.greeting().code == 220);
  CHECK(test::in_one_line(h.client.command("XCLIENT ADDR=203.0.113.1")) == "554 5.7.1 not you");
  CHECK(h.client.rest().empty());
  CHECK(h.end() == "");
  CHECK(contains(h.record(0), "\"ending\":\"refused\""));
}

TEST_CASE("XCLIENT: is refused in a transaction, and where it is malformed", "[session][xclient]") {
  World h;
  h.tells_by("xclient xforward");
  h.load("ear");
  h.arrive();
  CHECK(h.client.greeting().code == 220);
  CHECK(h.say("EHLO mx.example") == 250);
  for (const char* line :
       {"XCLIENT", "XCLIENT ADDR=nonsense", "XCLIENT NAME=a+0D+0AMAIL", "XCLIENT HELO=a+00",
        "XCLIENT LOGIN=a+0Ab", "XFORWARD", "XFORWARD HELO=x+0Ay", "XFORWARD COLOUR=red"})
    CHECK(test::in_one_line(h.client.command(line)).starts_with("501 5.5.4"));
  CHECK(h.say("XCLIENT HELO=\xc3\xa4") == 500);
  CHECK(h.say("XCLIENT NAME=" + std::string(600, 'x')) == 500);
  CHECK(h.say("MAIL FROM:<a@b.example>") == 250);
  CHECK(h.say("XCLIENT ADDR=198.51.100.7") == 503);
  CHECK(h.say("XFORWARD ADDR=198.51.100.7") == 503);
  CHECK(h.say("RCPT TO:<x@example.net>") == 250);
  CHECK(h.say("XCLIENT ADDR=198.51.100.7") == 503);
  CHECK(h.client.message().code == 250);
  CHECK(contains(heard, "mail 10.0.0.1"));
  CHECK(h.end() == "");
}

// What a peer passes on is a stranger's: octets that are printable, and nothing else of them.
TEST_CASE("XCLIENT: a greeting that is told ends no line, comment or string",
          "[session][xclient][line:5]") {
  const std::string command = GENERATE("XCLIENT", "XFORWARD");
  World h;
  h.tells_by("xclient xforward");
  h.load("ear");
  h.pool.identity = deliver::Identity::xforward;
  h.downstream.settings().capabilities.push_back("XFORWARD NAME ADDR PORT PROTO HELO SOURCE");
  h.arrive();
  CHECK(h.client.greeting().code == 220);
  CHECK(h.say("EHLO mx.example") == 250);
  const std::string told = " ADDR=198.51.100.7 PORT=1 HELO=$`+22)+20(;+5C<a>+20ADDR+3D192.0.2.9";
  CHECK(h.say(command + told) == (command == "XCLIENT" ? 220 : 250));
  if (command == "XCLIENT") CHECK(h.say("EHLO mx.example") == 250);
  CHECK(h.send_message() == 250);
  CHECK(h.say("QUIT") == 221);
  CHECK(h.end() == "");
  CHECK(contains(heard, "helo 198.51.100.7, "));
  CHECK(contains(h.record(0), R"("helo":"$`\") (;\\<a> ADDR=192.0.2.9")"));
  const auto& commands = h.downstream.sessions().at(0).commands;
  CHECK(std::count(commands.begin(), commands.end(),
                   "XFORWARD NAME=[UNAVAILABLE] ADDR=198.51.100.7 PORT=1 PROTO=ESMTP "
                   "HELO=$`\")+20(;\\<a>+20ADDR+3D192.0.2.9 SOURCE=REMOTE") == 1);
  const std::string& content = h.downstream.ledger().at(0).content;
  const std::string field = content.substr(0, content.find("\r\nSubject"));
  CHECK(contains(field, command == "XCLIENT" ? "[198.51.100.7]" : "mx.example"));
  CHECK_FALSE(contains(field, "<a>"));
}

TEST_CASE("XCLIENT: EHLO and XCLIENT may come in one segment", "[session][xclient]") {
  World h;
  h.tells_by("xclient");
  h.load("ear", "wait = \"1s\"");
  h.arrive();
  h.client.send("EHLO mx.example\r\nXCLIENT ADDR=198.51.100.7\r\nEHLO c.example\r\n");
  for (const int code : {220, 250, 220, 250}) CHECK(h.client.reply().code == code);
  CHECK(h.send_message() == 250);
  CHECK(h.say("QUIT") == 221);
  CHECK(h.end() == "");
  CHECK_FALSE(contains(test::all_records(h), "early_talker"));
}

TEST_CASE("XCLIENT: errors before it count on", "[session][xclient]") {
  World h;
  h.tells_by("xclient");
  h.settings.errors = 3;
  h.load("ear");
  h.arrive();
  CHECK(h.client.greeting().code == 220);
  CHECK(h.say("FOO") == 500);
  CHECK(h.say("XCLIENT ADDR=198.51.100.7") == 220);
  CHECK(h.say("FOO") == 500);
  CHECK(h.say("FOO") == 421);
  CHECK(h.end() == "");
}

TEST_CASE("XFORWARD: whoever is told is judged for one transaction", "[session][xforward]") {
  World h;
  h.tells_by("xforward");
  h.load("ear");
  h.pool.identity = deliver::Identity::xforward;
  h.downstream.settings().capabilities.push_back("XFORWARD NAME ADDR PORT PROTO HELO SOURCE");
  h.arrive();
  CHECK(h.client.greeting().code == 220);
  const std::string offers = h.client.command("EHLO front.example").text();
  CHECK(contains(offers, "XFORWARD NAME ADDR PORT PROTO HELO SOURCE IDENT"));
  CHECK_FALSE(contains(offers, "XCLIENT"));
  CHECK(h.say("XFORWARD NAME=name.example ADDR=198.51.100.7 PORT=4000") == 250);
  CHECK(h.say("XFORWARD PROTO=ESMTP HELO=client.example IDENT=4XyZ SOURCE=REMOTE") == 250);
  CHECK(heard == "");
  CHECK(h.send_message() == 250);
  CHECK(heard ==
        "admit 198.51.100.7, connect 198.51.100.7, client.example+: helo 198.51.100.7, "
        "name.example: mail 198.51.100.7, ");
  heard.clear();
  CHECK(h.send_message() == 250);
  CHECK(heard ==
        "admit 10.0.0.1, connect 10.0.0.1, front.example+: helo 10.0.0.1, mail 10.0.0.1, ");
  heard.clear();
  CHECK(h.say("XFORWARD ADDR=IPV6:2001:db8::7") == 250);
  CHECK(h.send_message() == 250);
  CHECK(heard == "admit 2001:db8::7, connect 2001:db8::7, +: helo 2001:db8::7, mail 2001:db8::7, ");
  CHECK(h.say("QUIT") == 221);
  CHECK(h.end() == "");
  CHECK(contains(h.record(0),
                 R"("client":"198.51.100.7","port":4000,"via":"10.0.0.1","via_id":"4XyZ")"));
  CHECK_FALSE(contains(h.record(1), "via"));
  CHECK(contains(h.record(2), R"("client":"2001:db8::7","port":0,"via":"10.0.0.1")"));
  // The peer has written its own Received field; ours is about the peer.
  for (const auto& delivery : h.downstream.ledger())
    CHECK(contains(delivery.content, "front.example (unknown [10.0.0.1])"));
  const auto& commands = h.downstream.sessions().at(0).commands;
  CHECK(std::count(commands.begin(), commands.end(),
                   "XFORWARD NAME=name.example ADDR=198.51.100.7 PORT=4000 PROTO=ESMTP "
                   "HELO=client.example SOURCE=REMOTE") == 1);
}

TEST_CASE("XFORWARD: a client that is refused costs the peer one transaction",
          "[session][xforward]") {
  const std::string at = GENERATE("admit", "connect", "helo", "mail");
  World h;
  h.tells_by("xforward");
  h.load("ear", fmt::format("at = \"{}\"\nslow = \"2s\"", at));
  h.arrive();
  CHECK(h.client.greeting().code == 220);
  CHECK(h.say("EHLO front.example") == 250);
  CHECK(h.say("XFORWARD ADDR=203.0.113.1 HELO=c.example") == 250);
  CHECK(test::in_one_line(h.client.command("MAIL FROM:<a@b.example>")) == "550 5.7.1 not you");
  CHECK((h.sim.elapsed() >= 2s) == (at == "mail"));  // what it slows down is its own reply
  CHECK(h.say("RCPT TO:<x@example.net>") == 503);
  CHECK(contains(h.record(0), R"("client":"203.0.113.1")"));
  CHECK(contains(h.record(0), "not you"));
  heard.clear();
  CHECK(h.send_message() == 250);
  CHECK(contains(heard, "mail 10.0.0.1"));
  CHECK(h.end() == "");
}

TEST_CASE("XFORWARD: is forgotten with the transaction, however that ends", "[session][xforward]") {
  const std::string end =
      GENERATE("RSET", "EHLO front.example", "MAIL and RSET", "MAIL and EHLO", "bad MAIL and RSET");
  CAPTURE(end);
  World h;
  h.tells_by("xforward");
  h.load("ear");
  h.arrive();
  CHECK(h.client.greeting().code == 220);
  CHECK(h.say("EHLO front.example") == 250);
  CHECK(h.say("XFORWARD ADDR=198.51.100.7 HELO=c.example") == 250);
  if (end.starts_with("MAIL")) CHECK(h.say("MAIL FROM:<a@b.example>") == 250);
  if (end.starts_with("bad")) CHECK(h.say("MAIL FROM:<a@b") == 501);
  const auto blank = end.rfind("and ");
  CHECK(h.say(blank == std::string::npos ? end : end.substr(blank + 4) + " front.example") == 250);
  heard.clear();
  CHECK(h.send_message() == 250);
  CHECK(heard ==
        "admit 10.0.0.1, connect 10.0.0.1, front.example+: helo 10.0.0.1, mail 10.0.0.1, ");
  CHECK(h.end() == "");
}

TEST_CASE("XFORWARD: what is not told is not known; what came up at the peer is its own",
          "[session][xforward]") {
  World h;
  h.tells_by("xforward");
  h.load("ear");
  h.arrive();
  CHECK(h.client.greeting().code == 220);
  CHECK(h.say("EHLO front.example") == 250);
  const auto judged = [&](const std::string& told) {
    heard.clear();
    CHECK(h.say("XFORWARD " + told) == 250);
    CHECK(h.say("MAIL FROM:<a@b.example>") == 250);
    CHECK(h.say("RSET") == 250);
    return heard.substr(heard.rfind("mail "));
  };
  CHECK(judged("HELO=c.example") == "mail 0.0.0.0, ");
  CHECK(judged("ADDR=[UNAVAILABLE] SOURCE=REMOTE") == "mail 0.0.0.0, ");
  CHECK(judged("ADDR=[UNAVAILABLE] SOURCE=LOCAL") == "mail 10.0.0.1, ");
  CHECK(judged("ADDR=198.51.100.7 SOURCE=LOCAL") == "mail 198.51.100.7, ");
  CHECK(judged("ADDR=/var/run/socket SOURCE=REMOTE") == "mail 0.0.0.0, ");
  CHECK(h.end() == "");
}

TEST_CASE("Identity: a peer that goes, or a server that ends, leaves nothing",
          "[session][xclient]") {
  const std::string told =
      GENERATE("XCLIENT ADDR=198.51.100.7\r\nEHLO c.example\r\n", "XFORWARD ADDR=198.51.100.7\r\n");
  const std::string wire = "EHLO mx.example\r\n" + told +
                           "MAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\nRSET\r\n" +
                           "MAIL FROM:<a@b.example>\r\n";
  const int way = GENERATE(0, 1, 2);
  for (std::size_t sent = 0; sent <= wire.size(); sent += 3) {
    World h;
    h.tells_by("xclient xforward");
    h.load("ear", "wait = \"50m\"\ntimeout = \"1h\"");
    h.arrive();
    h.client.send(wire.substr(0, sent));
    h.run_for(1s);
    if (way == 0) h.client.reset();
    if (way == 1) h.client.close();
    if (way == 2) h.shut_down();
    h.run_for(10s);
    const bool gone = way == 1 || h.running() == 0;
    const std::string left = h.end();
    if (gone && left.empty()) continue;
    CAPTURE(sent, way, told);
    CHECK(gone);
    CHECK(left == "");
  }
}
