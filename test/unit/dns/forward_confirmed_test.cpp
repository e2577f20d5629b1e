#include <postern/coro/scope.hpp>
#include <postern/dns/forward_confirmed.hpp>
#include <postern/testing/scripted_resolver.hpp>

#include "../coro/outcome.hpp"
#include "catch.hpp"

using namespace postern;
using namespace postern::dns;
using namespace postern::testing;
using namespace std::chrono_literals;

namespace {

struct World {
  SimScheduler sim;
  ScriptedResolver dns{sim};

  Result<ReverseDns> ask(const char* address) {
    auto outcome = sim.run(reverse_dns(dns, IpAddress::parse(address).value()));
    CHECK(sim.live_tasks() == 0);
    return outcome;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("reverse_dns: the names that have the address confirm it", "[dns][fcrdns]") {
  World world;
  world.dns.delay_all(100ms);
  world.dns.add_ptr("192.0.2.1", "claims.example");
  world.dns.add_ptr("192.0.2.1", "mx.example");
  world.dns.add_ptr("192.0.2.1", "gone.example");
  world.dns.add_a("claims.example", "192.0.2.2");
  world.dns.add_a("mx.example", "192.0.2.7");
  world.dns.add_a("mx.example", "192.0.2.1");
  const auto reverse = world.ask("192.0.2.1");
  REQUIRE(reverse);
  CHECK(reverse->names == Names{"claims.example", "mx.example", "gone.example"});
  CHECK(reverse->confirmed == Names{"mx.example"});
  CHECK(reverse->is_confirmed());
  CHECK_FALSE(reverse->unsure);
  CHECK_FALSE(reverse->cut);
  CHECK(world.sim.elapsed() == 200ms);  // the names are asked for at the same time
}

TEST_CASE("reverse_dns: an IPv6 address is confirmed by AAAA records", "[dns][fcrdns]") {
  World world;
  world.dns.add_ptr("2001:db8::1", "six.example");
  world.dns.add_ptr("2001:db8::1", "four.example");
  world.dns.add_aaaa("six.example", "2001:db8::1");
  world.dns.add_a("four.example", "192.0.2.1");
  const auto reverse = world.ask("2001:db8::1");
  REQUIRE(reverse);
  CHECK(reverse->confirmed == Names{"six.example"});
}

TEST_CASE("reverse_dns: no name is an answer, no answer is an error", "[dns][fcrdns]") {
  World world;
  const auto none = world.ask("192.0.2.1");
  REQUIRE(none);
  CHECK(none->names.empty());
  CHECK_FALSE(none->is_confirmed());

  const auto code = GENERATE(Errc::timed_out, Errc::servfail, Errc::malformed);
  world.dns.fail("1.2.0.192.in-addr.arpa", code);
  const auto failed = world.ask("192.0.2.1");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == code);
}

TEST_CASE("reverse_dns: a name that cannot be looked up leaves it unsure", "[dns][fcrdns]") {
  World world;
  world.dns.add_ptr("192.0.2.1", "silent.example");
  world.dns.add_ptr("192.0.2.1", "mx.example");
  world.dns.silence("silent.example");
  const auto reverse = world.ask("192.0.2.1");
  REQUIRE(reverse);
  CHECK(reverse->unsure);
  CHECK_FALSE(reverse->is_confirmed());
}

TEST_CASE("reverse_dns: of a hundred names only ten are looked at", "[dns][fcrdns][S033]") {
  World world;
  for (int i = 0; i < 100; ++i)
    world.dns.add_ptr("192.0.2.1", "n" + std::to_string(i) + ".example");
  world.dns.add_a("n9.example", "192.0.2.1");
  world.dns.add_a("n10.example", "192.0.2.1");
  const auto reverse = world.ask("192.0.2.1");
  REQUIRE(reverse);
  CHECK(reverse->cut);
  CHECK(reverse->names.size() == 10);
  CHECK(reverse->confirmed == Names{"n9.example"});
  CHECK(world.dns.asked() == 11);
}

TEST_CASE("reverse_dns: a stop ends all its lookups at once", "[dns][fcrdns]") {
  World world;
  world.dns.add_ptr("192.0.2.1", "one.example");
  world.dns.add_ptr("192.0.2.1", "two.example");
  world.dns.silence("one.example");
  world.dns.silence("two.example");
  coro::Outcome<Result<ReverseDns>> outcome;
  coro::Scope scope(world.sim, "client");
  scope.start(coro::keep(reverse_dns(world.dns, IpAddress::v4({192, 0, 2, 1})), outcome));
  world.sim.run_for(10ms);
  CHECK(world.dns.waiting() == 2);
  scope.stop(Errc::cancelled);
  world.sim.run(coro::join(scope));
  CHECK(outcome.is(Errc::cancelled));
  CHECK(world.dns.cancelled("one.example"));
  CHECK(world.dns.cancelled("two.example"));
  CHECK(world.sim.elapsed() == 10ms);
  CHECK(world.sim.live_tasks() == 0);
}
