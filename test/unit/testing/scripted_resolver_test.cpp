#include <postern/coro/deadline.hpp>
#include <postern/coro/scope.hpp>
#include <postern/testing/scripted_resolver.hpp>

#include "../coro/outcome.hpp"
#include "catch.hpp"

using namespace postern;
using namespace postern::testing;
using namespace std::chrono_literals;

namespace {

using Addresses = Result<dns::Answer<IpAddress>>;

struct World {
  SimScheduler sim;
  ScriptedResolver dns{sim};
};

coro::Task<Addresses> a_within(dns::Resolver& resolver, std::string name, Duration limit) {
  auto lookup = resolver.a(std::move(name));
  auto answer = co_await coro::within(limit, std::move(lookup));
  co_return answer;
}

}  // namespace

TEST_CASE("ScriptedResolver: answers what was written down", "[testing][dns]") {
  World world;
  world.dns.add_a("Two.Example.", "192.0.2.1");
  world.dns.add_a("two.example", "192.0.2.2");
  world.dns.add_aaaa("two.example", "2001:db8::1");
  world.dns.add_txt("two.example", std::string("v=spf1 \0-all", 12));
  world.dns.add_mx("two.example", 20, "second.example");
  world.dns.add_mx("two.example", 10, "First.Example.");
  world.dns.add_ptr("192.0.2.1", "two.example");

  const auto a = world.sim.run(world.dns.a("TWO.example."));
  REQUIRE(a);
  REQUIRE(a->records.size() == 2);
  CHECK(a->records[0].text() == "192.0.2.1");
  CHECK(a->records[1].text() == "192.0.2.2");
  CHECK(a->name_exists);
  CHECK(a->ttl == ScriptedResolver::ttl);
  const auto aaaa = world.sim.run(world.dns.aaaa("two.example"));
  REQUIRE(aaaa);
  CHECK(aaaa->records.at(0).text() == "2001:db8::1");
  const auto txt = world.sim.run(world.dns.txt("two.example"));
  REQUIRE(txt);
  CHECK(txt->records.at(0).size() == 12);
  const auto mx = world.sim.run(world.dns.mx("two.example"));
  REQUIRE(mx);
  CHECK(mx->records == std::vector<dns::Mx>{{10, "first.example"}, {20, "second.example"}});
  const auto ptr = world.sim.run(world.dns.ptr(IpAddress::v4({192, 0, 2, 1})));
  REQUIRE(ptr);
  CHECK(ptr->records == std::vector<std::string>{"two.example"});
  CHECK(world.sim.live_tasks() == 0);
}

TEST_CASE("ScriptedResolver: no data and NXDOMAIN are two things", "[testing][dns]") {
  World world;
  world.dns.add_a("only-a.example", "192.0.2.1");
  world.dns.add_empty("empty.example");
  const auto no_data = world.sim.run(world.dns.txt("only-a.example"));
  REQUIRE(no_data);
  CHECK((no_data->empty() && no_data->name_exists));
  const auto empty = world.sim.run(world.dns.a("empty.example"));
  REQUIRE(empty);
  CHECK((empty->empty() && empty->name_exists));
  const auto unknown = world.sim.run(world.dns.a("unknown.example"));
  REQUIRE(unknown);
  CHECK((unknown->empty() && !unknown->name_exists));
}

TEST_CASE("ScriptedResolver: what is no name is not asked for", "[testing][dns]") {
  World world;
  const auto bad = world.sim.run(world.dns.a(std::string(64, 'a') + ".example"));
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == Errc::malformed);
  CHECK(world.dns.asked() == 0);
  CHECK_THROWS_AS(world.dns.add_a("a..b", "192.0.2.1"), std::invalid_argument);
  CHECK_THROWS_AS(world.dns.add_a("a.b", "2001:db8::1"), std::invalid_argument);
  CHECK_THROWS_AS(world.dns.add_ptr("192.0.2.1", "a\"b"), std::invalid_argument);
}

TEST_CASE("ScriptedResolver: silence ends at the resolver's limit", "[testing][dns]") {
  World world;
  world.dns.add_a("slow.example", "127.0.0.2");
  SECTION("silent") { world.dns.silence("slow.example"); }
  SECTION("slower than the limit") { world.dns.delay("slow.example", 1h); }
  const auto silent = world.sim.run(world.dns.a("slow.example"));
  REQUIRE_FALSE(silent);
  CHECK(silent.error().code == Errc::timed_out);
  CHECK(world.sim.elapsed() == ScriptedResolver::limit);
  CHECK_FALSE(world.dns.cancelled("slow.example"));

  world.dns.heal("slow.example");
  CHECK(world.sim.run(world.dns.a("slow.example")));
}

TEST_CASE("ScriptedResolver: failures and delays are as written", "[testing][dns]") {
  World world;
  world.dns.add_a("a.example", "192.0.2.1");
  world.dns.delay_all(20ms);
  world.dns.delay("b.example", 300ms);
  world.dns.fail("b.example", Errc::servfail);
  CHECK(world.sim.run(world.dns.a("a.example")));
  CHECK(world.sim.elapsed() == 20ms);
  const auto failed = world.sim.run(world.dns.mx("B.example"));
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == Errc::servfail);
  CHECK(world.sim.elapsed() == 320ms);
}

TEST_CASE("ScriptedResolver: an answer comes in a later turn, never from inside the call",
          "[testing][dns]") {
  World world;
  world.dns.add_a("a.example", "192.0.2.1");
  coro::Outcome<Addresses> outcome;
  coro::Scope scope(world.sim, "client");
  scope.start(coro::keep(world.dns.a("a.example"), outcome));
  CHECK_FALSE(outcome.value);
  world.sim.run(coro::join(scope));
  CHECK(outcome.ok());
  CHECK(world.sim.elapsed() == 0ms);
}

TEST_CASE("ScriptedResolver: knows which lookups were stopped", "[testing][dns]") {
  World world;
  world.dns.silence("slow.example");
  coro::Outcome<Addresses> first, second;
  coro::Scope one(world.sim, "one");
  coro::Scope two(world.sim, "two");
  one.start(coro::keep(world.dns.a("slow.example"), first));
  two.start(coro::keep(world.dns.a("slow.example"), second));
  world.sim.run_for(1s);
  CHECK(world.dns.asked("slow.example") == 2);
  CHECK(world.dns.waiting() == 2);
  CHECK_FALSE(world.dns.cancelled("slow.example"));
  one.stop(Errc::cancelled);
  world.sim.run(coro::join(one));
  CHECK(first.is(Errc::cancelled));
  CHECK_FALSE(world.dns.cancelled("slow.example"));  // somebody still waits
  two.stop(Errc::cancelled);
  world.sim.run(coro::join(two));
  CHECK(world.dns.cancelled("slow.example"));
  CHECK(world.sim.elapsed() == 1s);
  CHECK_FALSE(world.dns.cancelled("never-asked.example"));
  CHECK(world.sim.live_tasks() == 0);
}

TEST_CASE("ScriptedResolver: a caller's deadline ends a lookup", "[testing][dns]") {
  World world;
  world.dns.silence("slow.example");
  const auto late = world.sim.run(a_within(world.dns, "slow.example", 2s));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == Errc::timed_out);
  CHECK(world.sim.elapsed() == 2s);
  CHECK(world.dns.cancelled("slow.example"));
}
