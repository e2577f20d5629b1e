// Which server gets the next connection: order, shares, back-off, and how many each takes.
#include <postern/deliver/servers.hpp>

#include <map>

#include "catch.hpp"

using namespace postern;
using namespace std::chrono_literals;
using deliver::Server;
using deliver::Servers;

namespace {

constexpr std::size_t most = 20;

SocketAddress at(std::uint16_t port) { return {IpAddress::v4({127, 0, 0, 1}), port}; }
coro::TimePoint when(coro::Duration since) { return coro::TimePoint() + 1h + since; }

using Indexes = std::vector<std::size_t>;

}  // namespace

TEST_CASE("Servers: without shares the order of the configuration holds", "[deliver][servers]") {
  Servers servers({at(1), at(2), at(3)}, most);
  for (int i = 0; i < 5; ++i) CHECK(servers.choose(when(0s)).tries == Indexes{0, 1, 2});
}

TEST_CASE("Servers: connections are shared by weight, and others wait for their chance",
          "[deliver][servers]") {
  Servers servers({at(9), {at(1), 1}, {at(2), 3}}, most);
  std::map<std::size_t, int> got;
  for (int i = 0; i < 40; ++i) {
    const Indexes tries = servers.choose(when(0s)).tries;
    CHECK(tries.back() == 0);  // has no share: last, though first in the configuration
    ++got[tries.front()];
    // At any time, not only in the long run.
    if (i % 4 == 3) CHECK(got[2] == 3 * got[1]);
  }
  SECTION("when one of them is down, the other has all") {
    servers.failed(2, when(0s));
    for (int i = 0; i < 10; ++i) CHECK(servers.choose(when(1ms)).tries.front() == 1);
  }
  SECTION("when both are, whoever has no share") {
    servers.failed(1, when(0s));
    servers.failed(2, when(0s));
    CHECK(servers.choose(when(1ms)).tries == Indexes{0, 1, 2});
  }
}

TEST_CASE("Servers: one that failed is left alone for 1, 2, 4 … 60 seconds", "[deliver][servers]") {
  Servers servers({at(1), at(2)}, most);
  coro::Duration now{};
  for (const auto alone : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    servers.failed(0, when(now));
    CHECK(servers.state(when(now))[0].left_alone == alone);
    CHECK(servers.choose(when(now + alone - 1ms)).looks.empty());
    now += alone;
    // Then it is looked at while the other serves: nobody's mail waits for that.
    const auto choice = servers.choose(when(now));
    CHECK(choice.looks == Indexes{0});
    CHECK(choice.tries.front() == 1);
  }
  servers.looked_at(0) = true;
  CHECK(servers.choose(when(now)).looks.empty());  // once at a time
  CHECK(servers.answered(0, {}));
  CHECK(servers.choose(when(now)).tries.front() == 0);
}

TEST_CASE("Servers: when all are down each is tried, and none is looked at besides",
          "[deliver][servers]") {
  Servers servers({at(1), at(2)}, most);
  servers.failed(0, when(0s));
  servers.failed(0, when(0s));
  servers.failed(1, when(0s));
  CHECK(servers.choose(when(1ms)).tries == Indexes{0, 1});
  const auto later = servers.choose(when(1s));
  CHECK(later.tries == Indexes{1, 0});
  CHECK(later.looks.empty());
}

TEST_CASE("Servers: 421 halves what one is given, and it grows again slowly",
          "[deliver][servers]") {
  Servers servers({at(1)}, most);
  SECTION("while others are open") {
    servers.open(0) = 12;
    CHECK(servers.crowded(0, when(0s)));
    CHECK(servers.state(when(0s))[0].up);
    CHECK(servers.room(when(0s)) == 6);
    CHECK(servers.choose(when(0s)).tries.empty());  // 12 are open
    servers.open(0) = 5;
    CHECK(servers.choose(when(0s)).tries == Indexes{0});
    CHECK(servers.room(when(9s)) == 6);
    CHECK(servers.room(when(10s)) == 7);
    CHECK(servers.room(when(60s)) == 12);
    CHECK(servers.room(when(10min)) == most);
    servers.open(0) = 1;
    CHECK(servers.crowded(0, when(10min)));
    CHECK(servers.room(when(10min)) == 1);  // never none
  }
  SECTION("without any it counts as down") {
    CHECK_FALSE(servers.crowded(0, when(0s)));
    CHECK_FALSE(servers.state(when(0s))[0].up);
  }
}

TEST_CASE("Servers: one without room does not send mail to one that is left alone",
          "[deliver][servers]") {
  Servers servers({at(1), at(2)}, most);
  servers.failed(1, when(0s));
  servers.open(0) = 4;
  CHECK(servers.crowded(0, when(0s)));
  CHECK(servers.choose(when(1ms)).tries.empty());
  CHECK(servers.choose(when(1s)).tries == Indexes{1});
}

TEST_CASE("Servers: offered is what all of them offer", "[deliver][servers]") {
  Servers servers({at(1), at(2)}, most);
  CHECK_FALSE(servers.offers());
  smtp::Capabilities one, two;
  one.dsn = one.smtputf8 = two.smtputf8 = true;
  one.size_limit = 0;
  two.size_limit = 1000;
  servers.answered(0, one);
  CHECK(servers.offers() == one);
  servers.answered(1, two);
  CHECK_FALSE(servers.offers()->dsn);
  CHECK(servers.offers()->smtputf8);
  CHECK(servers.offers()->size_limit == 1000);
}
