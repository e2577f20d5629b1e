// The resolver on c-ares and a loop: what it asks, and how it comes and goes.
#include <postern/coro/sleep.hpp>

#include <fcntl.h>

#include "loop_world.hpp"

using namespace postern;
using namespace postern::dns;
using testing::DnsQuery;
using testing::DnsResponse;
namespace wire = postern::testing::wire;

namespace {

coro::Task<void> pause(net::Duration time) { co_await coro::sleep(time); }

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int fd = 0; fd < 1024; ++fd) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

}  // namespace

TEST_CASE("make_resolver: looks up each type", "[dns][ares]") {
  LoopWorld world([](const DnsQuery& query) {
    wire::Message message = query.answer();
    if (query.type == wire::a) message.answer(wire::a, 60, "abcd");
    if (query.type == wire::aaaa) message.answer(wire::aaaa, 60, "abcdefghijklmnop");
    if (query.type == wire::mx) message.answer(wire::mx, 60, wire::mx_data(10, "mx.example"));
    if (query.type == wire::txt) message.answer(wire::txt, 60, wire::txt_data({"a", "b"}));
    if (query.type == wire::ptr) message.answer(wire::ptr, 60, wire::name("host.example"));
    return say(message);
  });
  Resolver& dns = *world.dns;
  const auto a = world.run(dns.a("Name.Example."));
  REQUIRE(a);
  CHECK(a->records.at(0).text() == "97.98.99.100");
  CHECK(a->ttl == 60s);
  const auto aaaa = world.run(dns.aaaa("name.example"));
  REQUIRE(aaaa);
  CHECK_FALSE(aaaa->records.at(0).is_v4());
  const auto mx = world.run(dns.mx("name.example"));
  REQUIRE(mx);
  CHECK(mx->records == std::vector<Mx>{{10, "mx.example"}});
  const auto txt = world.run(dns.txt("name.example"));
  REQUIRE(txt);
  CHECK(txt->records == std::vector<std::string>{"ab"});
  const auto ptr = world.run(dns.ptr(IpAddress::v4({192, 0, 2, 1})));
  REQUIRE(ptr);
  CHECK(ptr->records == std::vector<std::string>{"host.example"});
}

TEST_CASE("make_resolver: asks with EDNS, for the name as it is", "[dns][ares]") {
  std::vector<DnsQuery> queries;
  LoopWorld world([&](const DnsQuery& query) {
    queries.push_back(query);
    return say(listed(query));
  });
  for (const char* name : {"a.example", "localhost", "o'brien+x=1._spf.example", "a\\b.example",
                           "a\\046b.example", "x.onion.example"}) {
    CAPTURE(name);
    REQUIRE(world.ask(name));
    CHECK(queries.back().name == name);
    CHECK(queries.back().edns);
  }
  CHECK(queries.size() == 6);
}

TEST_CASE("make_resolver: many questions at a time, each gets its own answer", "[dns][ares]") {
  LoopWorld world([](const DnsQuery& query) {
    const int number = std::stoi(query.name);
    const std::string address{10, 0, static_cast<char>(number / 256),
                              static_cast<char>(number % 256)};
    const auto after = std::chrono::milliseconds(number % 7);
    return std::vector<DnsResponse>{
        DnsResponse(query.answer().answer(wire::a, 300, address), after)};
  });
  std::deque<coro::Outcome<Addresses>> outcomes(3000);
  coro::Scope scope(world.loop, "clients");
  struct Ask {
    static coro::Task<void> in_turn(Resolver& dns, std::deque<coro::Outcome<Addresses>>& outcomes,
                                    std::size_t first) {
      for (std::size_t i = first; i < outcomes.size(); i += 100) {
        auto answer = co_await dns.a(std::to_string(i) + ".example");
        outcomes[i].value.emplace(std::move(answer));
      }
    }
  };
  for (std::size_t i = 0; i < 100; ++i) scope.start(Ask::in_turn(*world.dns, outcomes, i));
  world.join(scope);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    REQUIRE(outcomes[i].ok());
    const auto& octets = (*outcomes[i].value)->records.at(0).octets();
    CHECK(octets[14] * 256U + octets[15] == i);
  }
  CHECK(world.stub.udp_queries() == 3000);
  CHECK(world.stub.ports() >= 3);  // a port is used for a thousand questions
}

TEST_CASE("make_resolver: goes on to a server that answers", "[dns][ares]") {
  LoopWorld world([](const DnsQuery& query) { return say(listed(query)); }, 200ms);
  testing::DnsStub silent(world.loop, [](const DnsQuery&) { return nothing(); });
  world.settings.servers = {silent.address(), world.stub.address()};
  world.restart();
  CHECK(world.ask("one.example"));
  CHECK(silent.udp_queries() == 1);
  CHECK(world.ask("two.example"));
  CHECK(silent.udp_queries() == 1);
}

TEST_CASE("make_resolver: each try has its time, and then it has timed out", "[dns][ares]") {
  LoopWorld world([](const DnsQuery&) { return nothing(); }, 100ms, 3);
  const auto began = world.loop.now();
  const auto answer = world.ask();
  const auto took = world.loop.now() - began;
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Errc::timed_out);
  CHECK(took >= 300ms);
  CHECK(took < 2s);
  CHECK(world.stub.udp_queries() == 3);
}

TEST_CASE("make_resolver: an idle resolver holds up nothing and asks for no turn", "[dns][ares]") {
  LoopWorld world([](const DnsQuery& query) { return say(listed(query)); }, 100ms);
  REQUIRE(world.ask());
  world.run(pause(50ms));
  CHECK(world.loop.waiting().empty());
  world.dns.reset();
  world.run(pause(1ms));
}

TEST_CASE("make_resolver: leaves no socket behind", "[dns][ares]") {
  const std::size_t before = open_descriptors();
  {
    LoopWorld world([](const DnsQuery& query) {
      if (!query.tcp) return say(query.answer().truncated());
      return say(listed(query));
    });
    for (int i = 0; i < 20; ++i) {
      REQUIRE(world.ask());
      world.restart();
    }
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("make_resolver: may go while a thousand lookups are under way", "[dns][ares][S030]") {
  const bool by_tcp = GENERATE(false, true);
  CAPTURE(by_tcp);
  LoopWorld world([&](const DnsQuery& query) {
    if (by_tcp && !query.tcp) return say(query.answer().truncated());
    return nothing();
  });
  std::deque<coro::Outcome<Addresses>> outcomes(1000);
  coro::Scope scope(world.loop, "clients");
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    scope.start(coro::keep(world.dns->a(std::to_string(i) + ".example"), outcomes[i]));
  world.run(pause(100ms));
  CHECK(world.dns->under_way() == 1000);
  world.dns.reset();
  CHECK_FALSE(outcomes[0].value);
  world.join(scope);
  for (const auto& outcome : outcomes) CHECK(outcome.is(Errc::cancelled));
  world.restart();  // late datagrams meet nobody
  world.stub.handle([](const DnsQuery& query) { return say(listed(query)); });
  CHECK(world.ask());
}

TEST_CASE("make_resolver: a stop ends the wait at once, the answer is kept", "[dns][ares]") {
  LoopWorld world([](const DnsQuery& query) {
    return std::vector<DnsResponse>{DnsResponse(listed(query), 500ms)};
  });
  coro::Outcome<Addresses> outcome;
  coro::Scope scope(world.loop, "client");
  scope.start(coro::keep(world.dns->a("a.example"), outcome));
  world.run(pause(10ms));
  const auto before = world.loop.now();
  scope.stop(Errc::cancelled);
  world.join(scope);
  CHECK(outcome.is(Errc::cancelled));
  CHECK(world.loop.now() - before < 400ms);
  world.run(pause(600ms));
  CHECK(world.ask());
  CHECK(world.stub.udp_queries() == 1);
}

TEST_CASE("make_resolver: a name under .onion is never asked for", "[dns][ares]") {
  LoopWorld world([](const DnsQuery& query) { return say(listed(query)); });
  const auto answer = world.ask("abc.onion");
  REQUIRE(answer);
  CHECK_FALSE(answer->name_exists);  // RFC 7686 section 2
  CHECK(world.stub.udp_queries() == 0);
}
