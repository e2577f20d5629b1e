// STARTTLS towards the downstream (RFC 3207). Rows 8 and S005, S007; lines
// 4, 49 and 50 of docs/protocol-lines.md.
#include <postern/net/tls.hpp>

#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "transactions.hpp"
#include "unit/net/made_certificate.hpp"

using namespace postern;
using namespace std::chrono_literals;
using deliver::Identity;
using deliver::TlsUse;
using test::Client;
using test::send_message;
using test::World;
using testing::Fault;
using testing::MadeCertificate;
using testing::make_certificate;
using testing::Phase;
using Commands = std::vector<std::string>;

namespace {

const MadeCertificate& authority() {
  static const auto made = make_certificate({.common_name = "the authority", .authority = true});
  return made;
}

// What the downstream presents.
enum class Presents { good, other_name, nobodys, expired };

const MadeCertificate& presented(Presents what) {
  const auto& by = authority();
  static const MadeCertificate all[] = {
      make_certificate({.names = {"mx.example.net"}, .issuer = &by}),
      make_certificate({.names = {"mx.example.org"}, .issuer = &by}),
      make_certificate({.names = {"mx.example.net"}}),
      make_certificate(
          {.names = {"mx.example.net"}, .begins_in_days = -9, .ends_in_days = -1, .issuer = &by}),
  };
  return all[static_cast<std::size_t>(what)];
}

std::shared_ptr<net::TlsClient> client_for(TlsUse use) {
  if (use == TlsUse::off) return nullptr;
  const auto trust = use == TlsUse::verify ? net::TlsTrust::verified : net::TlsTrust::anybody;
  return *net::TlsClient::make(trust, authority().certificate);
}

std::unique_ptr<net::TlsServer> server_with(const MadeCertificate& certificate) {
  auto server = *net::TlsServer::make({});
  server->use(*net::TlsCertificates::make({certificate.pair()}));
  server->use(net::TicketKeys::make());
  return server;
}

// A world whose downstream has TLS.
struct Encrypting : World {
  explicit Encrypting(TlsUse use, Presents what = Presents::good, testing::LinkOptions link = {})
      : World(1, link), server(server_with(presented(what))) {
    speak_tls(downstream);
    pool.to = {{first, 0, "mx.example.net"}};
    pool.tls = {use, client_for(use)};
    pool.messages_per_connection = 1;
  }
  void speak_tls(testing::ScriptedDownstream& which) {
    which.settings().tls = server.get();
    which.settings().capabilities.push_back("STARTTLS");
  }
  void begin() {
    listen();
    forward();
  }
  const auto& session(std::size_t index) { return downstream.sessions().at(index); }
  bool logged(std::string_view text) const {
    for (const std::string& line : log.lines)
      if (line.find(text) != std::string::npos) return true;
    return false;
  }
  // "target_tls" of the last transaction's record; "" without one.
  std::string recorded() const {
    std::string found;
    for (const std::string& record : log.records) {
      const auto at = record.find("\"target_tls\":");
      if (record.find("\"transaction\"") == std::string::npos) continue;
      found = at == std::string::npos ? "" : record.substr(at + 13, record.find('}', at) - at - 12);
    }
    return found;
  }

  std::unique_ptr<net::TlsServer> server;
};

const std::string insecure = "451 4.7.5";
const std::string taken = "250 2.0.0";

}  // namespace

TEST_CASE("Downstream TLS: what each mode makes of each server", "[deliver][tls]") {
  struct Row {
    const char* why;
    Presents presents;
    std::optional<Fault> fault;
    bool offered;
    // What clients hear.
    std::string may, require, verify;
    // How the message went under "may": what the record says, in how many connections.
    std::string under_may;
    std::size_t connections;
  };
  using Kind = Fault::Kind;
  const auto fault = [](Phase phase, Kind kind, const char* octets = "") {
    return Fault{phase, kind, octets};
  };
  const auto row = GENERATE_COPY(values<Row>({
      {"a good server", Presents::good, {}, true, taken, taken, taken, "TLSv1.3", 1},
      {"no STARTTLS", Presents::good, {}, false, taken, insecure, insecure, "not offered", 1},
      {"not now", Presents::good, fault(Phase::starttls, Kind::reply, "454 4.7.0 later\r\n"), true,
       taken, insecure, insecure, "refused", 1},
      {"refused for good", Presents::good, fault(Phase::starttls, Kind::reply, "554 no\r\n"), true,
       taken, insecure, insecure, "refused", 1},
      {"the reply is no reply", Presents::good, fault(Phase::starttls, Kind::reply, "?\r\n"), true,
       "451 4.3.0", "451 4.3.0", "451 4.3.0", "", 1},
      {"it closes at STARTTLS", Presents::good, fault(Phase::starttls, Kind::close), true,
       "451 4.4.2", "451 4.4.2", "451 4.4.2", "", 1},
      {"it says nothing to STARTTLS", Presents::good, fault(Phase::starttls, Kind::hang), true,
       "451 4.4.2", "451 4.4.2", "451 4.4.2", "", 1},
      {"it is closing", Presents::good,
       fault(Phase::starttls, Kind::reply_close, "421 4.3.2 bye\r\n"), true, "451 4.3.2",
       "451 4.3.2", "451 4.3.2", "", 1},
      {"another protocol", Presents::good,
       fault(Phase::handshake, Kind::reply, "SSH-2.0-OpenSSH\r\n"), true, taken, insecure, insecure,
       "handshake failed", 2},
      {"it closes in the handshake", Presents::good, fault(Phase::handshake, Kind::close), true,
       taken, insecure, insecure, "handshake failed", 2},
      {"it resets in the handshake", Presents::good, fault(Phase::handshake, Kind::reset), true,
       taken, insecure, insecure, "handshake failed", 2},
      {"no end of the handshake", Presents::good, fault(Phase::handshake, Kind::hang), true, taken,
       insecure, insecure, "handshake failed", 2},
      {"another's certificate",
       Presents::other_name,
       {},
       true,
       taken,
       taken,
       insecure,
       "TLSv1.3",
       1},
      {"nobody's signature", Presents::nobodys, {}, true, taken, taken, insecure, "TLSv1.3", 1},
      {"it has expired", Presents::expired, {}, true, taken, taken, insecure, "TLSv1.3", 1},
  }));
  const auto use = GENERATE(TlsUse::may, TlsUse::require, TlsUse::verify);
  CAPTURE(row.why, static_cast<int>(use));
  Encrypting world(use, row.presents);
  if (!row.offered) std::erase(world.downstream.settings().capabilities, "STARTTLS");
  if (row.fault) world.downstream.fail(*row.fault);
  world.begin();
  const std::string& wanted = use == TlsUse::may       ? row.may
                              : use == TlsUse::require ? row.require
                                                       : row.verify;
  CHECK(send_message(world, "a", 200s) == wanted);
  CHECK(world.downstream.promised() == (wanted == taken ? 1 : 0));
  if (use == TlsUse::may) {
    CHECK(world.recorded().find(row.under_may) != std::string::npos);
    CHECK(world.downstream.sessions().size() == row.connections);
  } else {
    // Nothing but the greeting of another protocol and the handshake in the clear.
    for (const auto& session : world.downstream.sessions())
      if (!session.tls) CHECK(session.commands.size() <= 3);
    if (wanted == insecure) CHECK(world.logged("warning: downstream 127.0.0.1:2526: "));
  }
  if (use == TlsUse::verify && wanted == taken)
    CHECK(world.recorded().find("\"verified\":true") != std::string::npos);
  CHECK(world.end() == "");
}

TEST_CASE("Downstream TLS: the log says what to do", "[deliver][tls]") {
  struct Row {
    const char* why;
    Presents presents;
    bool offered;
    const char* says;
  };
  const auto row = GENERATE(values<Row>({
      {"not offered", Presents::good, false, "smtpd_tls_security_level"},
      {"name", Presents::other_name, true, "set tls_name"},
      {"authority", Presents::nobodys, true, "tls_ca"},
      {"expired", Presents::expired, true, "certificate has expired"},
  }));
  CAPTURE(row.why);
  Encrypting world(TlsUse::verify, row.presents);
  if (!row.offered) std::erase(world.downstream.settings().capabilities, "STARTTLS");
  world.begin();
  CHECK(send_message(world) == insecure);
  CHECK(world.logged(row.says));
  CHECK(world.end() == "");
}

TEST_CASE("Downstream TLS: PROXY precedes it, XCLIENT and XFORWARD come under it",
          "[deliver][tls][identity]") {
  struct Row {
    Identity identity;
    std::string hello;         // whose name is in EHLO
    std::string under_tls[2];  // the commands between the second EHLO and MAIL
  };
  const auto row = GENERATE(values<Row>({
      {Identity::none, "mx.example.net", {}},
      {Identity::xforward, "mx.example.net", {"XFORWARD"}},
      {Identity::xclient, "mx.example.net", {"XCLIENT", "EHLO c.example"}},
      {Identity::proxy_v1, "c.example", {}},
      {Identity::proxy_v2, "c.example", {}},
  }));
  CAPTURE(static_cast<int>(row.identity));
  Encrypting world(TlsUse::verify);
  auto& settings = world.downstream.settings();
  settings.capabilities.push_back("XFORWARD NAME ADDR PROTO HELO SOURCE PORT");
  settings.capabilities.push_back("XCLIENT NAME ADDR PROTO HELO PORT DESTADDR DESTPORT");
  settings.proxy = row.identity == Identity::proxy_v1 || row.identity == Identity::proxy_v2;
  world.pool.identity = row.identity;
  world.begin();
  CHECK(send_message(world) == taken);
  const auto& session = world.session(0);
  CHECK(session.tls.has_value());
  CHECK(session.proxy_header.empty() != settings.proxy);
  CHECK(session.commands_in_clear == 2);
  Commands wanted = {"EHLO " + row.hello, "STARTTLS", "EHLO " + row.hello};
  for (const std::string& each : row.under_tls)
    if (!each.empty()) wanted.push_back(each);
  wanted.push_back("MAIL FROM:<a@b.example>");
  REQUIRE(session.commands.size() > wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CAPTURE(i);
    CHECK(session.commands[i].substr(0, wanted[i].size()) == wanted[i]);
  }
  CHECK(world.end() == "");
}

TEST_CASE("Downstream TLS: what was offered in the clear is forgotten", "[deliver][tls]") {
  Encrypting world(TlsUse::may);
  auto& settings = world.downstream.settings();
  settings.capabilities = {"PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "STARTTLS"};
  settings.capabilities_under_tls = {"SIZE 1000"};
  world.begin();
  {
    Client client(world);
    client.say("EHLO c.example\r\n");
    CHECK(client.say(
              "MAIL FROM:<a@b.example> RET=FULL BODY=8BITMIME\r\nRCPT TO:<x@example.net>\r\n") ==
          "250 2.1.0, 250 2.0.0");
  }
  const auto& commands = world.session(0).commands;
  CHECK(std::find(commands.begin(), commands.end(), "MAIL FROM:<a@b.example>") != commands.end());
  Client after(world);
  after.send("EHLO c.example\r\n");
  const std::string offers = after.read();
  CHECK(offers.find("SIZE 1000\r\n") != std::string::npos);
  CHECK(offers.find("8BITMIME") == std::string::npos);
  after.close();
  CHECK(world.end() == "");
}

TEST_CASE("Downstream TLS: replies injected before the handshake are an attack (S005)",
          "[deliver][tls][security]") {
  const auto use = GENERATE(TlsUse::may, TlsUse::require, TlsUse::verify);
  CAPTURE(static_cast<int>(use));
  Encrypting world(use);
  testing::ScriptedDownstream other;
  world.speak_tls(other);
  world.downstream.fail({Phase::starttls, Fault::Kind::reply,
                         "220 2.0.0 go ahead\r\n250 2.0.0 whatever you say next\r\n"});
  SECTION("nobody else can take it") {
    world.begin();
    CHECK(send_message(world) == insecure);
    CHECK(world.downstream.sessions().size() == 1);  // in the clear it would be no better
  }
  SECTION("another server takes it, and the first is left alone") {
    world.pool.to.push_back({World::second, 0, "mx.example.net"});
    world.listen(World::second, other);
    world.begin();
    CHECK(send_message(world) == taken);
    CHECK(other.sessions().at(0).tls.has_value());
    CHECK(other.promised() == 1);
    CHECK(send_message(world) == taken);
    CHECK(world.the_pool().state().servers[0].failed >= 1);
    CHECK_FALSE(world.the_pool().state().servers[0].up);
  }
  CHECK(world.logged("injects replies"));
  CHECK_FALSE(world.session(0).tls.has_value());
  CHECK(world.session(0).commands == Commands{"EHLO mx.example.net", "STARTTLS"});
  CHECK(world.downstream.promised() == 0);
  CHECK(world.end() == "");
}

TEST_CASE("Downstream TLS: sessions resume with the same server", "[deliver][tls]") {
  Encrypting world(TlsUse::verify);
  world.begin();
  CHECK(send_message(world) == taken);
  CHECK(world.recorded().find("resumed") == std::string::npos);
  CHECK(send_message(world) == taken);
  CHECK_FALSE(world.session(0).tls->resumed);
  CHECK(world.session(1).tls->resumed);
  CHECK(world.recorded().find("\"verified\":true,\"resumed\":true") != std::string::npos);
  world.server->use(net::TicketKeys::make());  // it has forgotten: a full handshake, and no error
  CHECK(send_message(world) == taken);
  CHECK_FALSE(world.session(2).tls->resumed);
  for (const std::size_t next : {3u, 4u, 5u}) {
    CHECK(send_message(world) == taken);
    CHECK(world.session(next).tls->resumed);
  }
  CHECK(world.end() == "");
}

TEST_CASE("Downstream TLS: a connection is kept for several messages", "[deliver][tls]") {
  const auto pieces = GENERATE(testing::Pieces::whole, testing::Pieces::single);
  Encrypting world(TlsUse::require, Presents::good, {.pieces = pieces});
  world.pool.messages_per_connection = 10;
  world.begin();
  for (int i = 0; i < 3; ++i) CHECK(send_message(world) == taken);
  CHECK(world.downstream.sessions().size() == 1);
  CHECK(world.end() == "");
}

TEST_CASE("Downstream TLS: the server's name is asked for", "[deliver][tls]") {
  Encrypting world(TlsUse::may);
  SECTION("a name") {
    world.begin();
    CHECK(send_message(world) == taken);
    CHECK(world.session(0).tls->server_name == "mx.example.net");
  }
  SECTION("an address has none (RFC 6066 section 3)") {
    world.pool.to = {World::first};
    world.begin();
    CHECK(send_message(world) == taken);
    CHECK(world.session(0).tls->server_name.empty());
  }
}

TEST_CASE("Downstream TLS: a server without a name is verified by its address", "[deliver][tls]") {
  Encrypting world(TlsUse::verify);
  world.pool.to = {World::first};
  world.begin();
  CHECK(send_message(world) == insecure);
  CHECK(world.end() == "");
}

TEST_CASE("Downstream TLS: by LMTP", "[deliver][tls][lmtp]") {
  Encrypting world(TlsUse::verify);
  world.pool.protocol = deliver::Protocol::lmtp;
  world.downstream.settings().lmtp = true;
  world.begin();
  CHECK(send_message(world) == taken);
  const auto& commands = world.session(0).commands;
  CHECK(Commands(commands.begin(), commands.begin() + 3) ==
        Commands{"LHLO mx.example.net", "STARTTLS", "LHLO mx.example.net"});
  CHECK(world.end() == "");
}

TEST_CASE("Downstream TLS: a client that goes in the handshake says nothing of the server",
          "[deliver][tls]") {
  Encrypting world(TlsUse::may, Presents::good, {.latency = 100ms});
  world.begin();
  {
    Client client(world);
    client.say("EHLO c.example\r\n" + test::envelope("a"), 700ms);
    REQUIRE(world.session(0).commands.back() == "STARTTLS");
    client.reset();
    world.sim.run_for(10ms);
  }
  CHECK(world.running() == 0);
  CHECK(send_message(world, "b", 20s) == taken);
  CHECK(world.the_pool().state().servers[0].failed == 0);
  CHECK(world.downstream.sessions().size() == 2);
  CHECK(world.end() == "");
}
