// TLS: whoever is at the other side and whatever they send costs their own connection.
#include <postern/coro/scope.hpp>
#include <postern/testing/random.hpp>

#include "catch.hpp"
#include "tls_world.hpp"

using namespace postern;
using namespace postern::coro;
using namespace postern::net;
using namespace postern::testing;

namespace {

constexpr Duration patience = TlsServer::patience;

Task<Result<TlsFacts>> accept(TlsServer& server, Stream& stream, TlsStart start) {
  auto facts = co_await server.accept(stream, start, patience);
  co_return facts;
}

enum class Then { ends, resets, stays };

// A client that sends no more than `octets` of its handshake, each of them xor `flip` at `at`.
Task<void> begin_handshake(Stream& stream, TlsCodec& codec, std::size_t octets, Then then,
                           std::size_t at = std::string::npos) {
  std::size_t sent = 0;
  for (;;) {
    std::string out;
    std::string_view in = stream.input();
    const std::size_t before = in.size();
    const auto step = codec.handshake(in, out);
    stream.consume(before - in.size());
    if (at >= sent && at < sent + out.size())
      out[at - sent] = static_cast<char>(out[at - sent] ^ 1);
    const std::size_t some = std::min(out.size(), octets - sent);
    stream.write(std::string_view(out).substr(0, some));
    sent += some;
    if (sent == octets || step != TlsCodec::Step::needs_input) break;
    auto more = co_await stream.more(10s);
    if (!more) break;
  }
  if (then == Then::ends) stream.end_output();
  if (then == Then::resets) stream.reset();
}

}  // namespace

TEST_CASE("TLS: a handshake that stops at any octet ends in time", "[net][tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto server = make_server();
  const auto client = make_client({.version = version});
  std::size_t octets = 0;
  for (bool done = false; !done; ++octets) {
    const Then then = octets % 3 == 0 ? Then::ends : octets % 3 == 1 ? Then::resets : Then::stays;
    SimScheduler sim;
    auto [theirs, ours] = make_stream_pair(sim);
    TlsCodec codec(client.get());
    Scope scope(sim, "client");
    scope.start(begin_handshake(*theirs, codec, octets, then));
    const auto facts = sim.run(accept(*server, *ours, TlsStart::at_once));
    sim.run_until_idle();
    done = facts.has_value();
    if (done) break;
    CAPTURE(octets);
    const Errc expected = then == Then::ends     ? Errc::closed
                          : then == Then::resets ? Errc::reset
                                                 : Errc::timed_out;
    REQUIRE(facts.error().code == expected);
    if (then == Then::stays) REQUIRE(sim.elapsed() >= patience);
    const auto before = MemoryStream::of(*ours).writes();
    ours->write("421 in the clear\r\n");
    REQUIRE(MemoryStream::of(*ours).writes() == before);
    REQUIRE(sim.live_tasks() == 0);
  }
  CHECK(octets > 200);
}

TEST_CASE("TLS: a handshake with any octet changed ends, and harms nobody", "[net][tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto server = make_server();
  const auto client = make_client({.version = version});
  std::size_t failed = 0;
  for (std::size_t at = 0; at < 320; ++at) {
    CAPTURE(at);
    SimScheduler sim;
    auto [theirs, ours] = make_stream_pair(sim);
    TlsCodec codec(client.get());
    Scope scope(sim, "client");
    scope.start(begin_handshake(*theirs, codec, std::string::npos, Then::stays, at));
    const auto facts = sim.run(accept(*server, *ours, TlsStart::at_once));
    if (!facts) ++failed;
    ours.reset();  // which ends the client's wait
    sim.run_until_idle();
    REQUIRE(sim.live_tasks() == 0);
  }
  CHECK(failed > 250);  // the rest were octets that mean nothing to us
}

TEST_CASE("TLS: garbage instead of a handshake is refused at once", "[net][tls]") {
  struct Row {
    const char* why;
    std::string octets;
  };
  const auto row = GENERATE(values<Row>({
      {"a dialogue", "EHLO client.example\r\n"},
      {"HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"},
      {"zeroes", std::string(1000, '\0')},
      {"a record of 65535 octets", "\x16\x03\x01\xff\xff" + std::string(70'000, 'x')},
      {"application data", "\x17\x03\x03\x00\x05hello" + std::string(10, 'x')},
      {"a message of 16 MiB", std::string("\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9)},
      {"an alert", std::string("\x15\x03\x01\x00\x02\x02\x28", 7)},
  }));
  CAPTURE(row.why);
  SimScheduler sim;
  auto [theirs, ours] = make_stream_pair(sim);
  theirs->write(row.octets);
  const auto server = make_server();
  const auto facts = sim.run(accept(*server, *ours, TlsStart::at_once));
  REQUIRE_FALSE(facts);
  CHECK(facts.error().code == Errc::malformed);
  CHECK(facts.error().text.find("TLS handshake: ") == 0);
  CHECK(sim.elapsed() < patience);
}

TEST_CASE("TLS: random octets instead of a handshake never get through", "[net][tls]") {
  const auto server = make_server();
  Random dice(48);
  for (int i = 0; i < 300; ++i) {
    SimScheduler sim;
    auto [theirs, ours] = make_stream_pair(sim, {.pieces = Pieces::random});
    std::string noise;
    if (i % 2) noise = std::string("\x16\x03\x01", 3);
    while (noise.size() < 600) noise += static_cast<char>(dice.next());
    theirs->write(noise);
    theirs->end_output();
    REQUIRE_FALSE(sim.run(accept(*server, *ours, TlsStart::at_once)));
    REQUIRE(sim.live_tasks() == 0);
  }
}

TEST_CASE("TLS: what was sent in the clear behind STARTTLS is thrown away", "[net][tls]") {
  // CVE-2011-0411: it would have been taken for what the client said under TLS.
  TlsWorld world({.latency = 1ms});
  const auto server = make_server();
  auto [theirs, ours] = make_stream_pair(world.sim);
  const std::string injected = "MAIL FROM:<x@y.example>\r\nRCPT TO:<z@example.net>\r\n";
  theirs->write(injected);
  world.sim.run_until_idle();
  REQUIRE(ours->input() == injected);
  const auto client = make_client();
  TlsCodec codec(client.get());
  Scope scope(world.sim, "client");
  scope.start(begin_handshake(*theirs, codec, std::string::npos, Then::stays));
  const auto facts = world.sim.run(accept(*server, *ours, TlsStart::after_dialogue));
  REQUIRE(facts);
  CHECK(facts->discarded == injected.size());
  CHECK(ours->input().empty());
}

TEST_CASE("TLS: what comes in the clear after that breaks the handshake", "[net][tls]") {
  SimScheduler sim;
  auto [theirs, ours] = make_stream_pair(sim, {.latency = 1ms});
  const auto server = make_server();
  theirs->write("MAIL FROM:<x@y.example>\r\n");  // still on its way
  const auto facts = sim.run(accept(*server, *ours, TlsStart::after_dialogue));
  REQUIRE_FALSE(facts);
  CHECK(facts.error().code == Errc::malformed);
}

TEST_CASE("TLS: versions before 1.2 are refused", "[net][tls][line:50]") {
  const int version = GENERATE(TLS1_VERSION, TLS1_1_VERSION);
  TlsWorld world;
  auto met = world.meet(*make_server(), make_client({.version = version}).get());
  REQUIRE_FALSE(met.server_facts);
  CHECK(met.server_facts.error().code == Errc::malformed);
}

TEST_CASE("TLS: weak ciphers are refused", "[net][tls]") {
  const auto cipher =
      GENERATE(as<std::string>(), "AES128-SHA", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA",
               "ECDHE-ECDSA-AES256-SHA384", "DHE-RSA-AES128-GCM-SHA256");
  CAPTURE(cipher);
  TlsWorld world;
  const auto client = make_client({.version = TLS1_2_VERSION});
  REQUIRE(SSL_CTX_set_cipher_list(client.get(), (cipher + ":@SECLEVEL=0").c_str()) == 1);
  CHECK_FALSE(world.meet(*make_server(), client.get()).server_facts);
}

TEST_CASE("TLS: a connection that is cut is not one that has ended", "[net][tls]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  TlsWorld world;
  auto met = world.meet(*make_server(), make_client({.version = version}).get());
  REQUIRE(met.server_facts);
  met.client->write("DATA\r\nhalf a mess");
  met.client->silence();  // no close_notify
  met.client.reset();
  CHECK(world.read_all(*met.server) == std::pair(std::string("DATA\r\nhalf a mess"), Errc::reset));
}

TEST_CASE("TLS: a broken record ends the input after what came before it", "[net][tls]") {
  TlsWorld world;
  auto met = world.meet(*make_server(), make_client().get());
  REQUIRE(met.server_facts);
  met.client->write("NOOP\r\n");
  world.sim.run_until_idle();
  const auto bad = GENERATE(
      as<std::string>(), std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'),
      std::string("\x17\x03\x03\xff\xff", 5) + std::string(70'000, 'x'), "MAIL FROM:<a@b>\r\n");
  auto& wire = MemoryStream::of(*met.client);
  struct AsItIs final : StreamCodec {
    std::optional<Errc> decode(std::string_view, std::string&, std::string&) override { return {}; }
    bool encode(std::string_view plain, std::string& out) override {
      out += plain;
      return true;
    }
    void encode_end(std::string&) override {}
  };
  wire.pass_through(std::make_unique<AsItIs>());
  wire.write(bad);
  CHECK(world.read_all(*met.server) == std::pair(std::string("NOOP\r\n"), Errc::reset));
  CHECK(met.server->ended());
  met.server->write("500 what?\r\n");
  CHECK(met.server->unsent() == 0);
}

TEST_CASE("TLS: nobody renegotiates", "[net][tls][line:50]") {
  SimScheduler sim;
  auto [theirs, ours] = make_stream_pair(sim);
  const auto server = make_server();
  const auto client = make_client({.version = TLS1_2_VERSION});
  SSL_CTX_clear_options(client.get(), SSL_OP_NO_RENEGOTIATION);
  TlsCodec codec(client.get());
  Scope scope(sim, "client");
  scope.start(begin_handshake(*theirs, codec, std::string::npos, Then::stays));
  REQUIRE(sim.run(accept(*server, *ours, TlsStart::at_once)));
  sim.run_until_idle();
  REQUIRE(SSL_is_init_finished(codec.ssl()));

  REQUIRE(SSL_renegotiate(codec.ssl()) == 1);
  std::string hello;
  std::string_view nothing;
  REQUIRE(codec.handshake(nothing, hello) == TlsCodec::Step::needs_input);
  theirs->write(hello);
  sim.run_until_idle();
  CHECK_FALSE(ours->ended());
  std::string_view answer = theirs->input();
  CHECK_FALSE(answer.empty());
  CHECK(codec.handshake(answer, hello) == TlsCodec::Step::failed);
  CHECK(codec.failure() == "no renegotiation");
}

TEST_CASE("TLS: who keeps asking for new keys and reads nothing is cut off", "[net][tls]") {
  TlsWorld world;
  auto met = world.meet(*make_server(), make_client({.version = TLS1_3_VERSION}).get());
  REQUIRE(met.server_facts);
  for (int i = 0; i < 1000; ++i) {
    SSL_key_update(world.ssl, SSL_KEY_UPDATE_REQUESTED);
    met.client->write("x");
    world.sim.run_until_idle();
  }
  CHECK(met.server->ended());
  CHECK(met.server->input().size() < 100);
}

TEST_CASE("TLS: without a certificate there is no handshake", "[net][tls]") {
  SimScheduler sim;
  auto [theirs, ours] = make_stream_pair(sim);
  const auto server = *TlsServer::make({});
  CHECK_FALSE(server->ready());
  const auto facts = sim.run(accept(*server, *ours, TlsStart::after_dialogue));
  REQUIRE_FALSE(facts);
  CHECK(facts.error().code == Errc::not_found);
}

TEST_CASE("TLS: a stop ends a handshake", "[net][tls]") {
  SimScheduler sim;
  auto [theirs, ours] = make_stream_pair(sim);
  const auto server = make_server();
  Scope scope(sim, "session");
  std::optional<Errc> why;
  const auto wait = [](TlsServer& from, Stream& stream, std::optional<Errc>& error) -> Task<void> {
    auto facts = co_await from.accept(stream, TlsStart::at_once, patience);
    if (!facts) error = facts.error().code;
  };
  scope.start(wait(*server, *ours, why));
  sim.run_for(1s);
  scope.stop(Errc::cancelled);
  sim.run_until_idle();
  CHECK(why == Errc::cancelled);
  CHECK(sim.live_tasks() == 0);
}
