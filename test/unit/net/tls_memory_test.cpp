// What a session under TLS costs while it waits.
#include <malloc.h>

#include "catch.hpp"
#include "tls_world.hpp"

using namespace postern;
using namespace postern::net;
using namespace postern::testing;

#if !defined(__SANITIZE_ADDRESS__)
TEST_CASE("TLS: a session after its handshake holds at most 32 KiB", "[net][tls][memory]") {
  constexpr std::size_t sessions = 1000;
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto client = make_client({.version = version});
  const auto server = make_server();
  server->use(TicketKeys::make());
  TlsWorld world;
  { const auto first = world.meet(*server, client.get()); }
  std::vector<Met> held;
  held.reserve(sessions);
  const std::size_t before = mallinfo2().uordblks;
  for (std::size_t i = 0; i < sessions; ++i) {
    auto met = world.meet(*server, client.get());
    REQUIRE(met.server_facts);
    met.client->write("EHLO client.example\r\n");
    met.server->write("220 mx.example.net ESMTP\r\n");
    world.sim.run_until_idle();
    REQUIRE(met.server->input().size() == 21);
    met.server->consume(21);
    met.client->consume(26);
    met.client->pass_through(nullptr);  // what is left there is a plain stream
    held.push_back(std::move(met));
  }
  const std::size_t each = (mallinfo2().uordblks - before) / sessions;
  SUCCEED("TLS " << (version == TLS1_2_VERSION ? "1.2" : "1.3") << ": " << each
                 << " octets for each session, with both streams in memory");
  CHECK(each <= 32 * 1024);
  CHECK(each > 1000);
}
#endif
