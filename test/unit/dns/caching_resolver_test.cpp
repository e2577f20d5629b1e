#include <postern/coro/deadline.hpp>
#include <postern/coro/scope.hpp>
#include <postern/dns/caching_resolver.hpp>
#include <postern/testing/sim_scheduler.hpp>

#include <deque>
#include <functional>

#include "../coro/outcome.hpp"
#include "catch.hpp"
#include "support/dns_message.hpp"

using namespace postern;
using namespace postern::dns;
using namespace postern::testing;
using namespace std::chrono_literals;

namespace {

using Addresses = Result<Answer<IpAddress>>;

struct Asked {
  std::string question;
  std::size_t server;
  Transport transport;
  bool operator==(const Asked&) const = default;
};

// What servers would do: at once as `respond` says, or when the test says.
class FakeExchange final : public Exchange {
 public:
  using Respond = std::function<Result<std::string>(const Asked&)>;

  FakeExchange(std::size_t servers, std::vector<Asked>& log, Respond respond)
      : servers_(servers), log_(log), respond_(std::move(respond)) {}
  ~FakeExchange() override {
    const auto waiting = std::exchange(waiting_, {});
    for (const auto& [asked, asker] : waiting) asker->failed(Error(Errc::cancelled, "closing"));
  }

  std::size_t servers() const override { return servers_; }
  void ask(const Question& question, std::size_t server, Transport transport,
           Asker& asker) override {
    log_.push_back(Asked{question.text(), server, transport});
    waiting_.emplace_back(log_.back(), &asker);
    if (respond_) answer_all();
  }

  void answer_all() {
    while (!waiting_.empty()) {
      const auto [asked, asker] = waiting_.front();
      waiting_.pop_front();
      const auto response = respond_(asked);
      if (!response)
        asker->failed(response.error());
      else
        asker->answered(
            {reinterpret_cast<const std::uint8_t*>(response->data()), response->size()});
    }
  }
  void respond_with(Respond respond) {
    respond_ = std::move(respond);
    answer_all();
  }

 private:
  std::size_t servers_;
  std::vector<Asked>& log_;
  Respond respond_;
  std::deque<std::pair<Asked, Asker*>> waiting_;
};

wire::Message listed(std::uint32_t ttl = 300) {
  return wire::Message("a.example", wire::a).answer(wire::a, ttl, std::string("\x7f\0\0\x02", 4));
}
FakeExchange::Respond always(const wire::Message& message) {
  return [octets = message.octets()](const Asked&) { return octets; };
}

struct World {
  explicit World(std::size_t servers = 1, FakeExchange::Respond respond = {},
                 const CachingResolver::Settings& settings = {}) {
    auto owned = std::make_unique<FakeExchange>(servers, log, std::move(respond));
    exchange = owned.get();
    dns = std::make_unique<CachingResolver>(sim, std::move(owned), settings);
  }
  Addresses ask(const char* name = "a.example") { return sim.run(dns->a(name)); }

  SimScheduler sim;
  std::vector<Asked> log;
  FakeExchange* exchange = nullptr;
  std::unique_ptr<CachingResolver> dns;
};

Errc code_of(const Addresses& answer) {
  REQUIRE_FALSE(answer);
  return answer.error().code;
}

coro::Task<Addresses> a_within(Resolver& resolver, Duration limit) {
  auto lookup = resolver.a("a.example");
  auto answer = co_await coro::within(limit, std::move(lookup));
  co_return answer;
}

}  // namespace

TEST_CASE("CachingResolver: asks once and then knows", "[dns][cache]") {
  World world(1, always(listed()));
  const auto first = world.ask("A.Example.");
  REQUIRE(first);
  CHECK(first->ttl == 300s);
  world.sim.run_for(100s);
  const auto second = world.ask();
  REQUIRE(second);
  CHECK(second->records == first->records);
  CHECK(second->ttl == 200s);
  CHECK(world.log.size() == 1);
  world.sim.run_for(200s);
  CHECK(world.ask());
  CHECK(world.log.size() == 2);
  const auto& counters = world.dns->counters();
  CHECK(counters.asked == 3);
  CHECK(counters.cached == 1);
  CHECK(counters.sent == 2);
}

TEST_CASE("CachingResolver: nothing there is remembered too, by RFC 2308", "[dns][cache]") {
  World world(1, always(wire::Message("a.example", wire::a).code(3).negative(600, 60)));
  const auto first = world.ask();
  REQUIRE(first);
  CHECK_FALSE(first->name_exists);
  world.sim.run_for(59s);
  CHECK(world.ask());
  CHECK(world.log.size() == 1);
  world.sim.run_for(1s);
  CHECK(world.ask());
  CHECK(world.log.size() == 2);
}

TEST_CASE("CachingResolver: what is no name is not asked for", "[dns]") {
  World world(1, always(listed()));
  CHECK(code_of(world.ask("a..example")) == Errc::malformed);
  CHECK(code_of(world.ask("a.example\r\nX")) == Errc::malformed);
  CHECK(world.log.empty());
}

TEST_CASE("CachingResolver: many who ask the same wait for one query", "[dns]") {
  World world;
  std::deque<coro::Outcome<Addresses>> outcomes(100);
  coro::Scope scope(world.sim, "clients");
  for (auto& outcome : outcomes) scope.start(coro::keep(world.dns->a("a.example"), outcome));
  CHECK(world.log.size() == 1);
  CHECK(world.dns->under_way() == 1);
  world.exchange->respond_with(always(listed()));
  CHECK_FALSE(outcomes[0].value);  // no task is resumed from inside the exchange
  world.sim.run(coro::join(scope));
  for (const auto& outcome : outcomes) CHECK(outcome.ok());
  CHECK(world.dns->under_way() == 0);
  CHECK(world.dns->counters().joined == 99);
  CHECK(world.sim.live_tasks() == 0);
}

TEST_CASE("CachingResolver: a stopped waiter goes, the query runs on and fills the cache",
          "[dns]") {
  World world;
  coro::Outcome<Addresses> stopped, waiting;
  coro::Scope one(world.sim, "one");
  coro::Scope two(world.sim, "two");
  one.start(coro::keep(world.dns->a("a.example"), stopped));
  const bool somebody_stays = GENERATE(true, false);
  if (somebody_stays) two.start(coro::keep(world.dns->a("a.example"), waiting));
  one.stop(Errc::cancelled);
  world.sim.run(coro::join(one));
  CHECK(stopped.is(Errc::cancelled));
  CHECK(world.dns->under_way() == 1);
  world.exchange->respond_with(always(listed()));
  world.sim.run(coro::join(two));
  if (somebody_stays) CHECK(waiting.ok());
  CHECK(world.ask());
  CHECK(world.log.size() == 1);
  CHECK(world.sim.live_tasks() == 0);
}

TEST_CASE("CachingResolver: a caller's deadline does not end the query", "[dns]") {
  World world;
  CHECK(code_of(world.sim.run(a_within(*world.dns, 2s))) == Errc::timed_out);
  CHECK(world.sim.elapsed() == 2s);
  CHECK(world.dns->under_way() == 1);
  world.exchange->respond_with(always(listed()));
  CHECK(world.ask());
  CHECK(world.log.size() == 1);
}

TEST_CASE("CachingResolver: a loss is tried again, a failure of the servers is not", "[dns]") {
  struct Row {
    const char* why;
    Result<std::string> response;
    Errc error;
    std::size_t sent;       // by one server
    std::size_t sent_by_2;  // by two
    bool cached;
  };
  const auto message = [](unsigned code) {
    return wire::Message("a.example", wire::a).code(code).octets();
  };
  const auto row = GENERATE_COPY(values<Row>({
      {"silence", fail(Errc::timed_out), Errc::timed_out, 3, 6, false},
      {"nobody listens", fail(Errc::refused), Errc::refused, 3, 6, false},
      {"SERVFAIL", message(2), Errc::servfail, 1, 2, true},
      {"REFUSED", message(5), Errc::servfail, 1, 2, true},
      {"FORMERR", message(1), Errc::servfail, 3, 6, true},
      {"nonsense", std::string("nonsense"), Errc::malformed, 1, 2, true},
  }));
  CAPTURE(row.why);
  for (const std::size_t servers : {1U, 2U}) {
    CAPTURE(servers);
    World world(servers, [&](const Asked&) { return row.response; });
    CHECK(code_of(world.ask()) == row.error);
    CHECK(world.log.size() == (servers == 1 ? row.sent : row.sent_by_2));
    const std::size_t before = world.log.size();
    CHECK(code_of(world.ask()) == row.error);
    CHECK((world.log.size() == before) == row.cached);
    world.sim.run_for(5s);
    world.exchange->respond_with(always(listed()));
    CHECK(world.ask());
    CHECK(world.dns->counters().failed == (row.cached ? 1 : 2));
  }
}

TEST_CASE("CachingResolver: goes on to the next server, and stays with the one that answers",
          "[dns]") {
  World world(3, [](const Asked& asked) -> Result<std::string> {
    if (asked.server < 2) return fail(Errc::timed_out, "dead");
    const std::string name = asked.question.substr(0, asked.question.find(' '));
    return wire::Message(name, wire::a).octets();
  });
  CHECK(world.ask("one.example"));
  CHECK(world.ask("two.example"));
  CHECK(world.log == std::vector<Asked>{{"one.example A", 0, Transport::udp},
                                        {"one.example A", 1, Transport::udp},
                                        {"one.example A", 2, Transport::udp},
                                        {"two.example A", 2, Transport::udp}});
}

TEST_CASE("CachingResolver: a server without an answer of use is no reason to leave it", "[dns]") {
  World world(2, [](const Asked& asked) -> Result<std::string> {
    const std::string name = asked.question.substr(0, asked.question.find(' '));
    return wire::Message(name, wire::a).code(asked.server == 0 ? 2 : 0).octets();
  });
  CHECK(world.ask("one.example"));
  CHECK(world.ask("two.example"));
  CHECK(world.log.size() == 4);  // the fault is the name's more often than the server's
}

TEST_CASE("CachingResolver: what is truncated is asked for by TCP", "[dns]") {
  World world(1, [](const Asked& asked) -> Result<std::string> {
    if (asked.transport == Transport::udp)
      return wire::Message("a.example", wire::a).truncated().octets();
    return listed().octets();
  });
  CHECK(world.ask());
  CHECK(world.log ==
        std::vector<Asked>{{"a.example A", 0, Transport::udp}, {"a.example A", 0, Transport::tcp}});
}

TEST_CASE("CachingResolver: after a broken connection a question has one of its own", "[dns]") {
  World world(1, [](const Asked& asked) -> Result<std::string> {
    if (asked.transport == Transport::udp)
      return wire::Message("a.example", wire::a).truncated().octets();
    if (asked.transport == Transport::tcp) return fail(Errc::refused, "ended");
    return listed().octets();
  });
  CHECK(world.ask());
  CHECK(world.log.size() == 3);
  CHECK(world.log.back().transport == Transport::tcp_alone);
}

TEST_CASE("CachingResolver: what is truncated by TCP too is malformed", "[dns]") {
  World world(1, always(wire::Message("a.example", wire::a).truncated()));
  CHECK(code_of(world.ask()) == Errc::malformed);
  CHECK(world.log.size() == 2);
}

TEST_CASE("CachingResolver: may go while a thousand lookups are under way", "[dns][S030]") {
  World world;
  std::deque<coro::Outcome<Addresses>> outcomes(1000);
  coro::Scope scope(world.sim, "clients");
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    std::string name = "n" + std::to_string(i / 2) + ".example";  // two wait for each
    scope.start(coro::keep(world.dns->a(std::move(name)), outcomes[i]));
  }
  CHECK(world.dns->under_way() == 500);
  world.dns.reset();
  CHECK_FALSE(outcomes[0].value);
  world.sim.run(coro::join(scope));
  for (const auto& outcome : outcomes) CHECK(outcome.is(Errc::cancelled));
  CHECK(world.sim.live_tasks() == 0);
}

TEST_CASE("CachingResolver: a limit on lookups under way", "[dns]") {
  World world;
  std::deque<coro::Outcome<Addresses>> outcomes(CachingResolver::most_lookups);
  coro::Scope scope(world.sim, "clients");
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    std::string name = "n" + std::to_string(i) + ".example";
    scope.start(coro::keep(world.dns->a(std::move(name)), outcomes[i]));
  }
  CHECK(code_of(world.ask()) == Errc::busy);
  world.dns.reset();
  world.sim.run(coro::join(scope));
}

TEST_CASE("CachingResolver: random names push out each other", "[dns][cache][S035]") {
  CachingResolver::Settings settings;
  settings.cache = {.entries = 1000, .octets = 300'000};
  World world(
      1,
      [](const Asked& asked) -> Result<std::string> {
        const std::string name = asked.question.substr(0, asked.question.find(' '));
        return wire::Message(name, wire::a).code(3).negative(600, 600).octets();
      },
      settings);
  for (int i = 0; i < 5000; ++i) {
    const std::string name = std::to_string(i) + std::string(40, 'x') + ".example";
    REQUIRE(world.ask(name.c_str()));
    REQUIRE(world.dns->cache().octets() <= 300'000);
  }
  CHECK(world.dns->cache().entries() <= 1000);
  CHECK(world.dns->cache().entries() > 300);
}
