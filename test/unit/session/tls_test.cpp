// STARTTLS (RFC 3207) and implicit TLS (RFC 8314). Lines 4, 48 to 50 of docs/protocol-lines.md.
#include <postern/facts/tls.hpp>
#include <postern/net/tls.hpp>
#include <postern/plugin.hpp>
#include <postern/testing/scripted_client.hpp>

#include <optional>
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"
#include "unit/net/made_certificate.hpp"

using namespace postern;
using namespace postern::testing;
using namespace std::chrono_literals;
using net::TlsStart;
using test::all_records;
using test::contains;

namespace {

std::string seen;  // what the plugin saw, in order

}  // namespace

namespace postern::plugins {
namespace {

// Notes how the session is encrypted when a client connects, and at MAIL.
class Witness final : public PluginOf<Witness> {
 public:
  struct Settings {};
  static void describe(Schema<Settings>&) {}
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &Witness::connect);
    hooks.on_mail(this, &Witness::mail);
  }

 private:
  Verdict connect(Session& session) const {
    note("connect", session.facts().find<facts::Tls>());
    return Verdict::next();
  }
  Verdict mail(Transaction& tx) const {
    note("mail", tx.facts().find<facts::Tls>());
    return Verdict::next();
  }
  static void note(const char* hook, const facts::Tls* tls) {
    seen +=
        std::string(hook) + " " + (tls ? tls->version + " " + tls->server_name : "clear") + ", ";
  }
};

}  // namespace
}  // namespace postern::plugins

namespace {

const MadeCertificate& certificate() {
  static const auto made = make_certificate({.names = {"mx.example.net"}});
  return made;
}

struct World : Harness {
  World() {
    seen.clear();
    server->use(*net::TlsCertificates::make({certificate().pair()}));
    tls = server.get();
    listener.tls = session::Listener::Tls::starttls;
    add<plugins::Witness>("witness");
    load("witness");
  }
  void arrive(LinkOptions link = {}) {
    auto fresh = connect(link);
    stream = fresh.get();
    peer.emplace(std::move(fresh));
  }
  // The first reply to a line; 0: none came.
  std::string say(const std::string& line) {
    peer->send(line + "\r\n");
    return reply();
  }
  std::string reply() {
    auto said = sim.run(peer->reply());
    return said ? std::to_string(said->code) + " " + said->text() : "0 " + said.error().describe();
  }
  Result<net::TlsFacts> encrypt(TlsStart start = TlsStart::after_dialogue) {
    return sim.run(maker->connect(*stream, start, "mx.example.net", 10s));
  }
  // Up to the first command under TLS.
  void greet_under_tls() {
    arrive();
    CHECK(reply().starts_with("220"));
    CHECK(contains(say("EHLO clear.example"), "STARTTLS"));
    CHECK(say("STARTTLS").starts_with("220 2.0.0"));
    CHECK(encrypt());
  }
  // A whole message; the reply to it, or the first that is none of what it should be.
  std::string send_message() {
    for (const char* line : {"MAIL FROM:<a@b.example>", "RCPT TO:<x@example.net>"})
      if (const auto answer = say(line); !answer.starts_with("250")) return answer;
    if (const auto answer = say("DATA"); !answer.starts_with("354")) return answer;
    return say("Subject: s\r\n\r\nhello\r\n.");
  }
  // What comes on the wire until the end.
  std::string rest() {
    auto all = sim.run(peer->until_end());
    return all.value_or("");
  }
  std::string logged() const {
    std::string all;
    for (const std::string& line : log.lines) all += line + "\n";
    return all;
  }
  std::string finish() {
    peer.reset();
    return end();
  }

  std::unique_ptr<net::TlsServer> server = *net::TlsServer::make({});
  std::unique_ptr<net::TlsClient> maker = *net::TlsClient::make(net::TlsTrust::anybody, {});
  std::optional<ScriptedClient> peer;
  net::Stream* stream = nullptr;
};

}  // namespace

TEST_CASE("STARTTLS: a message under TLS says so everywhere", "[session][tls]") {
  const auto pieces = GENERATE(Pieces::whole, Pieces::random, Pieces::single);
  World h;
  h.arrive({.pieces = pieces});
  CHECK(h.reply().starts_with("220"));
  CHECK(contains(h.say("EHLO clear.example"), "STARTTLS"));
  CHECK(h.say("STARTTLS") == "220 2.0.0 Ready to start TLS");
  REQUIRE(h.encrypt());
  const std::string offers = h.say("EHLO hidden.example");
  CHECK(offers.starts_with("250"));
  CHECK(contains(offers, "PIPELINING"));
  CHECK_FALSE(contains(offers, "STARTTLS"));
  CHECK(h.send_message().starts_with("250"));
  CHECK(h.say("QUIT").starts_with("221"));
  CHECK(h.rest().empty());
  CHECK(h.finish() == "");
  const std::string& content = h.downstream.ledger().at(0).content;
  CHECK(contains(content, "ESMTPS (TLSv1.3 TLS_"));
  CHECK(contains(content, "hidden.example"));
  CHECK(seen == "connect clear, mail TLSv1.3 mx.example.net, ");
  REQUIRE(h.log.records.size() == 2);
  for (const std::string& record : h.log.records) {
    CHECK(contains(record, R"("tls":{"version":"TLSv1.3","cipher":"TLS_)"));
    CHECK(contains(record, R"("server_name":"mx.example.net")"));
  }
}

TEST_CASE("STARTTLS: commands that were sent behind it in the clear are never run",
          "[session][tls][line:4]") {
  // CVE-2011-0411, CVE-2014-3556, CVE-2024-34083.
  const bool one_write = GENERATE(true, false);
  World h;
  h.arrive();
  CHECK(h.reply().starts_with("220"));
  CHECK(h.say("EHLO clear.example").starts_with("250"));
  const std::string injected =
      "EHLO evil.example\r\nMAIL FROM:<evil@b.example>\r\nRCPT TO:<x@example.net>\r\n";
  h.peer->send("STARTTLS\r\n" + (one_write ? injected : std::string()));
  if (!one_write) h.peer->send(injected);
  CHECK(h.reply().starts_with("220 2.0.0"));
  REQUIRE(h.encrypt());
  CHECK(h.say("RCPT TO:<x@example.net>").starts_with("503"));
  CHECK(contains(h.logged(), "sent in the clear behind STARTTLS"));
  CHECK(h.say("NOOP").starts_with("250"));
  CHECK(h.finish() == "");
  CHECK_FALSE(contains(all_records(h), "evil"));
}

TEST_CASE("STARTTLS: what comes in the clear after the reply breaks it", "[session][tls]") {
  World h;
  h.arrive({.latency = 5ms});
  CHECK(h.reply().starts_with("220"));
  CHECK(h.say("EHLO clear.example").starts_with("250"));
  CHECK(h.say("STARTTLS").starts_with("220"));
  h.peer->send("MAIL FROM:<evil@b.example>\r\n");
  const std::string rest = h.rest();
  CHECK_FALSE(contains(rest, "250"));
  CHECK_FALSE(contains(rest, "503"));
  CHECK(h.finish() == "");
  CHECK(contains(all_records(h), R"("ending":"tls_failed")"));
}

TEST_CASE("STARTTLS: nothing that was said before it is known after",
          "[session][tls][line:4][line:58]") {
  World h;
  h.greet_under_tls();
  CHECK(h.say("MAIL FROM:<a@b.example>").starts_with("503"));
  CHECK(h.say("STARTTLS").starts_with("503"));
  CHECK(h.say("HELO hidden.example").starts_with("250"));
  CHECK(h.say("STARTTLS").starts_with("503"));
  CHECK(h.send_message().starts_with("250"));
  CHECK(h.finish() == "");
  CHECK(contains(h.downstream.ledger().at(0).content, "with SMTP"));
  CHECK_FALSE(contains(all_records(h), "clear.example"));
}

TEST_CASE("STARTTLS: what XCLIENT told before it must be told again", "[session][tls]") {
  World h;
  h.listener.xclient_from = {*Network::parse("192.0.2.0/24")};
  h.arrive();
  CHECK(h.reply().starts_with("220"));
  CHECK(contains(h.say("EHLO proxy.example"), "XCLIENT"));
  CHECK(h.say("XCLIENT ADDR=198.51.100.7 HELO=told.example").starts_with("220"));
  CHECK(contains(h.say("EHLO proxy.example"), "STARTTLS"));
  CHECK(h.say("STARTTLS").starts_with("220"));
  REQUIRE(h.encrypt());
  CHECK(contains(h.say("EHLO proxy.example"), "XCLIENT"));
  SECTION("or the peer is the client") {
    CHECK(h.send_message().starts_with("250"));
    CHECK(contains(h.downstream.ledger().at(0).content, "[192.0.2.1]"));
    CHECK(h.finish() == "");
    CHECK_FALSE(contains(h.log.records.at(0), "198.51.100.7"));
  }
  SECTION("and then holds") {
    CHECK(h.say("XCLIENT ADDR=198.51.100.8").starts_with("220"));
    CHECK(h.say("EHLO proxy.example").starts_with("250"));
    CHECK(h.send_message().starts_with("250"));
    CHECK(contains(h.downstream.ledger().at(0).content, "[198.51.100.8]"));
    CHECK(contains(seen, "mail TLSv1.3"));
    CHECK(h.finish() == "");
  }
}

TEST_CASE("STARTTLS: is refused where it does not fit", "[session][tls]") {
  World h;
  SECTION("before EHLO, with an argument, within a transaction") {
    h.arrive();
    CHECK(h.reply().starts_with("220"));
    CHECK(h.say("STARTTLS").starts_with("503 5.5.1"));
    CHECK(h.say("EHLO c.example").starts_with("250"));
    CHECK(h.say("STARTTLS now").starts_with("501 5.5.4"));
    CHECK(h.say("MAIL FROM:<a@b.example>").starts_with("250"));
    CHECK(h.say("STARTTLS").starts_with("503 5.5.1"));
    CHECK(h.say("RCPT TO:<x@example.net>").starts_with("250"));
    CHECK(h.say("STARTTLS").starts_with("503 5.5.1"));
    CHECK(h.say("RSET").starts_with("250"));
    CHECK(h.say("STARTTLS").starts_with("220"));
  }
  SECTION("where the listener has none") {
    h.listener.tls = session::Listener::Tls::none;
    h.arrive();
    CHECK(h.reply().starts_with("220"));
    CHECK_FALSE(contains(h.say("EHLO c.example"), "STARTTLS"));
    CHECK(h.say("STARTTLS").starts_with("502 5.5.1"));
  }
  SECTION("while there is no certificate") {
    const auto empty = *net::TlsServer::make({});
    h.tls = empty.get();
    h.arrive();
    CHECK(h.reply().starts_with("220"));
    CHECK_FALSE(contains(h.say("EHLO c.example"), "STARTTLS"));
    CHECK(h.say("STARTTLS").starts_with("454 4.7.0"));
    CHECK(h.say("NOOP").starts_with("250"));
    CHECK(h.finish() == "");
    return;
  }
  CHECK(h.finish() == "");
}

TEST_CASE("Implicit TLS: the banner comes after the handshake, and nothing before it",
          "[session][tls][line:49]") {
  World h;
  h.listener.tls = session::Listener::Tls::implicit;
  h.arrive({.latency = 1ms});
  h.sim.run_for(1s);
  CHECK(h.stream->input().empty());
  REQUIRE(h.encrypt(TlsStart::at_once));
  CHECK(h.reply().starts_with("220"));
  CHECK_FALSE(contains(h.say("EHLO c.example"), "STARTTLS"));
  CHECK(h.say("STARTTLS").starts_with("503"));
  CHECK(h.send_message().starts_with("250"));
  CHECK(h.finish() == "");
  CHECK(seen == "connect TLSv1.3 mx.example.net, mail TLSv1.3 mx.example.net, ");
  CHECK_FALSE(contains(all_records(h), "early_talker"));
}

TEST_CASE("Implicit TLS: who speaks before the banner, though encrypted, is early",
          "[session][tls]") {
  World h;
  h.listener.tls = session::Listener::Tls::implicit;
  h.arrive();
  REQUIRE(h.encrypt(TlsStart::at_once));
  h.peer->send("EHLO c.example\r\n");
  CHECK(h.reply().starts_with("220"));
  CHECK(h.reply().starts_with("250"));
  CHECK(h.finish() == "");
}

TEST_CASE("Implicit TLS: a header of PROXY comes before the handshake",
          "[session][tls][proxy][line:49]") {
  const auto pieces = GENERATE(Pieces::whole, Pieces::single);
  World h;
  h.listener.tls = session::Listener::Tls::implicit;
  h.listener.proxy_from = {*Network::parse("192.0.2.0/24")};
  h.arrive({.pieces = pieces});
  h.peer->send("PROXY TCP4 198.51.100.7 192.0.2.99 4000 465\r\n");
  REQUIRE(h.encrypt(TlsStart::at_once));
  CHECK(h.reply().starts_with("220"));
  CHECK(h.say("EHLO c.example").starts_with("250"));
  CHECK(h.send_message().starts_with("250"));
  CHECK(h.finish() == "");
  CHECK(contains(h.downstream.ledger().at(0).content, "[198.51.100.7]"));
}

TEST_CASE("Implicit TLS: nobody is told anything in the clear", "[session][tls]") {
  World h;
  h.listener.tls = session::Listener::Tls::implicit;
  SECTION("a client that speaks SMTP at once") {
    h.arrive();
    h.peer->send("EHLO c.example\r\n");
    CHECK_FALSE(contains(h.rest(), "220"));
  }
  SECTION("a client that waits") {
    h.arrive();
    const auto began = h.sim.elapsed();
    CHECK(h.rest().empty());
    CHECK(h.sim.elapsed() - began >= 30s);
    CHECK(h.sim.elapsed() - began < 31s);
  }
  SECTION("one session too many") {
    auto stream = h.connect({}, true);
    h.peer.emplace(std::move(stream));
    CHECK(h.rest().empty());
  }
  SECTION("at the end of the server") {
    h.arrive();
    h.sim.run_for(1s);
    h.shut_down();
    CHECK(h.rest().empty());
  }
  CHECK(h.finish() == "");
}

TEST_CASE("STARTTLS: a handshake that never comes costs nobody else anything", "[session][tls]") {
  World h;
  h.arrive();
  CHECK(h.reply().starts_with("220"));
  CHECK(h.say("EHLO slow.example").starts_with("250"));
  CHECK(h.say("STARTTLS").starts_with("220"));
  auto slow = std::move(h.peer);
  h.greet_under_tls();
  CHECK(h.say("EHLO c.example").starts_with("250"));
  CHECK(h.send_message().starts_with("250"));
  CHECK(h.sim.elapsed() < 1s);
  h.run_for(31s);
  CHECK(h.running() == 1);
  CHECK(contains(all_records(h), R"("ending":"tls_failed")"));
  slow.reset();
  CHECK(h.finish() == "");
}

TEST_CASE("TLS: a message that is cut off is not delivered", "[session][tls]") {
  // S008, row 19: the connection ends without close_notify in the middle of the body.
  World h;
  h.greet_under_tls();
  CHECK(h.say("EHLO c.example").starts_with("250"));
  CHECK(h.say("MAIL FROM:<a@b.example>").starts_with("250"));
  CHECK(h.say("RCPT TO:<x@example.net>").starts_with("250"));
  CHECK(h.say("DATA").starts_with("354"));
  h.peer->send("Subject: s\r\n\r\nhalf");
  SECTION("by a reset") { h.peer->reset(); }
  SECTION("by an end that nobody signed") { h.stream->silence(); }
  SECTION("by an end in order") { h.peer->half_close(); }
  CHECK(h.finish() == "");
  for (const auto& delivery : h.downstream.ledger()) CHECK_FALSE(delivery.promised());
  CHECK(contains(all_records(h), R"("ending":"client_gone")"));
}
