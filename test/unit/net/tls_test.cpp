// TLS on streams: what a handshake comes to, resumption, client certificates, ends. What every
// stream must do is in test/conformance, where it runs on encrypted streams, too.
#include "catch.hpp"
#include "tls_world.hpp"

using namespace postern;
using namespace postern::net;
using namespace postern::testing;

namespace {

std::unique_ptr<TlsServer> server_with(const TicketKeys& keys) {
  auto server = make_server();
  server->use(keys);
  return server;
}

struct FreeSession {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SessionPtr = std::unique_ptr<SSL_SESSION, FreeSession>;

// A whole session, so that the ticket has arrived.
SessionPtr talk(TlsWorld& world, Met& met) {
  met.server->write("220 hello\r\n");
  world.sim.run_until_idle();
  CHECK(met.client->input() == "220 hello\r\n");
  return SessionPtr(SSL_get1_session(world.ssl));
}

}  // namespace

TEST_CASE("TLS: version, cipher and the name asked for are known after the handshake",
          "[net][tls]") {
  const auto pieces = GENERATE(Pieces::whole, Pieces::random, Pieces::single);
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  TlsWorld world({.pieces = pieces});
  const auto server = make_server();
  const auto client = make_client({.version = version});
  auto met = world.meet(*server, client.get(), TlsStart::at_once, nullptr, "MX.example.net");
  REQUIRE(met.server_facts);
  REQUIRE(met.client_facts);
  CHECK(met.server_facts->version == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
  CHECK(met.server_facts->cipher == met.client_facts->cipher);
  CHECK(met.server_facts->cipher.find("ECDHE") ==
        (version == TLS1_2_VERSION ? 0 : std::string::npos));
  CHECK(met.server_facts->bits >= 128);
  CHECK(met.server_facts->server_name == "MX.example.net");
  CHECK(met.server_facts->subject.empty());
  CHECK_FALSE(met.server_facts->resumed);
  CHECK(met.client_facts->subject == "CN=mx.example.net");
  CHECK(met.client_facts->fingerprint.size() == 64);
  CHECK(world.sim.live_tasks() == 0);
}

TEST_CASE("TLS: a name that is none stays out of the facts", "[net][tls]") {
  const auto name = GENERATE(as<std::string>(), "a\\b", "${run{/bin/true}}", "a b", "x\r\ny");
  TlsWorld world;
  const auto server = make_server();
  auto met = world.meet(*server, make_client().get(), TlsStart::at_once, nullptr, name);
  REQUIRE(met.server_facts);
  CHECK(met.server_facts->server_name.empty());
}

TEST_CASE("TLS: replies of a group leave in one record", "[net][tls]") {
  TlsWorld world;
  const auto server = make_server();
  auto met = world.meet(*server, make_client().get());
  REQUIRE(met.server_facts);
  const auto before = MemoryStream::of(*met.server).writes();
  met.server->write("250-mx.example.net\r\n250 PIPELINING\r\n");
  CHECK(MemoryStream::of(*met.server).writes() == before + 1);
}

TEST_CASE("TLS: one side's end in order leaves the other half open", "[net][tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  TlsWorld world;
  const auto server = make_server();
  auto met = world.meet(*server, make_client({.version = version}).get());
  REQUIRE(met.server_facts);
  met.client->write("QUIT\r\n");
  met.client->end_output();
  CHECK(world.read_all(*met.server) == std::pair(std::string("QUIT\r\n"), Errc::closed));
  met.server->write("221 bye\r\n");
  met.server.reset();
  CHECK(world.read_all(*met.client) == std::pair(std::string("221 bye\r\n"), Errc::closed));
}

TEST_CASE("TLS: sessions resume on another server with the same keys", "[net][tls][line:50]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  TlsWorld world;
  TicketKeys keys = TicketKeys::make();
  const auto client = make_client({.version = version});
  const auto first = server_with(keys);
  auto met = world.meet(*first, client.get());
  REQUIRE(met.server_facts);
  CHECK_FALSE(met.server_facts->resumed);
  const SessionPtr session = talk(world, met);
  const auto resumes = [&](const TicketKeys& with) {
    const auto second = server_with(with);
    auto again = world.meet(*second, client.get(), TlsStart::at_once, session.get());
    REQUIRE(again.server_facts);
    CHECK(again.client_facts->resumed == again.server_facts->resumed);
    return again.server_facts->resumed;
  };
  const auto handed_on = TicketKeys::parse(keys.serialize());
  REQUIRE(handed_on);
  SECTION("with what another process was told") { CHECK(resumes(*handed_on)); }
  SECTION("also when one of them has rotated") {
    keys.rotate();
    CHECK(resumes(keys));
  }
  SECTION("also when the one that sealed it rotated first") {
    TicketKeys ahead = keys;
    ahead.rotate();
    auto early = world.meet(*server_with(ahead), client.get());
    const SessionPtr sealed_with_next = talk(world, early);
    auto again = world.meet(*first, client.get(), TlsStart::at_once, sealed_with_next.get());
    REQUIRE(again.server_facts);
    CHECK(again.server_facts->resumed);
  }
  SECTION("but not for more than two periods") {
    keys.rotate();
    keys.rotate();
    CHECK_FALSE(resumes(keys));
  }
  SECTION("and not with other keys") { CHECK_FALSE(resumes(TicketKeys::make())); }
  SECTION("nor does a server without keys hand out tickets") {
    auto lone = world.meet(*make_server(), client.get());
    CHECK(SSL_SESSION_has_ticket(talk(world, lone).get()) == 0);
  }
}

TEST_CASE("TicketKeys: other octets are none", "[net][tls]") {
  CHECK_FALSE(TicketKeys::parse(""));
  CHECK_FALSE(TicketKeys::parse(std::string(TicketKeys::octets - 1, 'x')));
  CHECK_FALSE(TicketKeys::parse(std::string(TicketKeys::octets + 1, 'x')));
}

TEST_CASE("TLS: a client's certificate is asked for, looked at, and required", "[net][tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  static const auto authority =
      make_certificate({.common_name = "the authority", .authority = true});
  static const auto signed_one =
      make_certificate({.common_name = "relay, with \"quotes\"", .issuer = &authority});
  static const auto self_signed = make_certificate({.common_name = "somebody"});
  TlsWorld world;
  const auto meet = [&](ClientCertificates wanted, const MadeCertificate* certificate) {
    const auto server = make_server({wanted, authority.certificate});
    const auto client = make_client({.version = version, .certificate = certificate});
    return world.meet(*server, client.get()).server_facts;
  };
  SECTION("not asked") {
    const auto facts = meet(ClientCertificates::off, &signed_one);
    REQUIRE(facts);
    CHECK(facts->subject.empty());
    CHECK_FALSE(facts->verified);
  }
  SECTION("asked, and none given") {
    const auto facts = meet(ClientCertificates::ask, nullptr);
    REQUIRE(facts);
    CHECK(facts->subject.empty());
    CHECK_FALSE(facts->verified);
  }
  SECTION("asked, and given by somebody") {
    const auto facts = meet(ClientCertificates::ask, &self_signed);
    REQUIRE(facts);
    CHECK(facts->subject == "CN=somebody");
    CHECK_FALSE(facts->verified);
  }
  SECTION("asked, and given by one of ours") {
    const auto facts = meet(ClientCertificates::ask, &signed_one);
    REQUIRE(facts);
    CHECK(facts->subject == "CN=relay\\, with \\\"quotes\\\"");
    CHECK(facts->verified);
  }
  SECTION("required") {
    CHECK(meet(ClientCertificates::require, &signed_one));
    const auto none = meet(ClientCertificates::require, nullptr);
    REQUIRE_FALSE(none);
    CHECK(none.error().code == Errc::permission);
    const auto other = meet(ClientCertificates::require, &self_signed);
    REQUIRE_FALSE(other);
    CHECK(other.error().code == Errc::permission);
  }
  CHECK_FALSE(TlsServer::make({ClientCertificates::ask, "no certificate"}));
}

TEST_CASE("TLS: what the client says by ALPN matters where TLS comes first",
          "[net][tls][line:48]") {
  struct Row {
    const char* why;
    std::string alpn;
    TlsStart start;
    bool good;
  };
  const auto row = GENERATE(values<Row>({
      {"nothing said", "", TlsStart::at_once, true},
      {"ours", "\4smtp", TlsStart::at_once, true},
      {"ours among others", "\2h2\4smtp", TlsStart::at_once, true},
      {"a browser", "\2h2\10http/1.1", TlsStart::at_once, false},
      {"a browser after STARTTLS", "\2h2\10http/1.1", TlsStart::after_dialogue, true},
  }));
  CAPTURE(row.why);
  TlsWorld world({.latency = 1ms});
  auto met = world.meet(*make_server(), make_client({.alpn = row.alpn}).get(), row.start);
  CHECK(met.server_facts.has_value() == row.good);
}

TEST_CASE("TlsClient: trusts the name on a certificate that an authority signed", "[net][tls]") {
  static const auto authority =
      make_certificate({.common_name = "the authority", .authority = true});
  struct Row {
    const char* why;
    CertificateWish wish;
    std::string name;
    bool good;
  };
  const auto row = GENERATE(values<Row>({
      {"the name", {.names = {"mx.example.net"}, .issuer = &authority}, "mx.example.net", true},
      {"a wildcard", {.names = {"*.example.net"}, .issuer = &authority}, "mx.example.net", true},
      {"part of a label",
       {.names = {"m*.example.net"}, .issuer = &authority},
       "mx.example.net",
       false},
      {"another name",
       {.names = {"mx.example.org"}, .issuer = &authority},
       "mx.example.net",
       false},
      {"nobody's signature", {.names = {"mx.example.net"}}, "mx.example.net", false},
      {"too late",
       {.names = {"mx.example.net"},
        .begins_in_days = -9,
        .ends_in_days = -1,
        .issuer = &authority},
       "mx.example.net",
       false},
      {"an address", {.names = {"mx.example.net"}, .issuer = &authority}, "192.0.2.1", false},
  }));
  CAPTURE(row.why);
  SimScheduler sim;
  auto [theirs, ours] = make_stream_pair(sim);
  const auto server = make_server();
  server->use(*TlsCertificates::make({make_certificate(row.wish).pair()}));
  const auto check = [&](TlsTrust trust) {
    auto client = *TlsClient::make(trust, authority.certificate);
    coro::Group<Result<TlsFacts>> sides;
    sides.add(client->connect(*theirs, TlsStart::at_once, row.name, 10s));
    sides.add(server->accept(*ours, TlsStart::at_once, 10s));
    std::vector<Result<TlsFacts>> both;
    auto keep = [&](Result<TlsFacts> facts) { both.push_back(std::move(facts)); };
    REQUIRE(sim.run(sides.each(keep)));
    return both;
  };
  SECTION("verified") {
    bool refused = false;
    for (const auto& facts : check(TlsTrust::verified))
      refused = refused || (!facts && facts.error().code == Errc::permission);
    CHECK(refused != row.good);
  }
  SECTION("or takes anybody") {
    for (const auto& facts : check(TlsTrust::anybody)) CHECK(facts);
  }
}

TEST_CASE("TlsClient: resumes sessions with the same address and name, and no others",
          "[net][tls]") {
  SimScheduler sim;
  auto server = server_with(TicketKeys::make());
  const auto client = *TlsClient::make(TlsTrust::anybody, {});
  const SocketAddress here{IpAddress::v4({127, 0, 0, 1}), 1};
  const auto resumes = [&](const std::string& name, std::uint16_t port) {
    auto pair = make_stream_pair(sim, {}, here, {IpAddress::v4({192, 0, 2, 1}), port});
    coro::Group<Result<TlsFacts>> sides;
    sides.add(client->connect(*pair.first, TlsStart::at_once, name, 10s));
    sides.add(server->accept(*pair.second, TlsStart::at_once, 10s));
    std::size_t resumed = 0;
    auto count = [&](Result<TlsFacts> facts) {
      REQUIRE(facts);
      if (facts->resumed) ++resumed;
    };
    REQUIRE(sim.run(sides.each(count)));
    pair.second->write("220 hello\r\n");  // the ticket comes before it
    sim.run_until_idle();
    return resumed == 2;
  };
  CHECK_FALSE(resumes("mx.example.net", 25));
  CHECK(resumes("mx.example.net", 25));
  CHECK(resumes("mx.example.net", 25));
  CHECK_FALSE(resumes("mx.example.org", 25));
  CHECK_FALSE(resumes("mx.example.net", 26));
  server = server_with(TicketKeys::make());  // it knows nobody
  CHECK_FALSE(resumes("mx.example.net", 25));
  CHECK(resumes("mx.example.net", 25));
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("TlsClient: verifies no server that has no name", "[net][tls]") {
  SimScheduler sim;
  auto pair = make_stream_pair(sim);
  const auto client = *TlsClient::make(TlsTrust::verified, server_certificate().certificate);
  const auto facts = sim.run(client->connect(*pair.first, TlsStart::at_once, "", 10s));
  REQUIRE_FALSE(facts);
  CHECK(facts.error().code == Errc::permission);
}
