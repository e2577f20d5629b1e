#include <postern/dns/cache.hpp>

#include "catch.hpp"

using namespace postern;
using namespace postern::dns;
using namespace std::chrono_literals;

namespace {

const Question question{Type::a, "example.net"};
const Cache::TimePoint start{1000h};

SharedOutcome addresses(std::chrono::seconds ttl, std::size_t count = 1) {
  Answer<IpAddress> answer;
  answer.records.assign(count, IpAddress::v4({127, 0, 0, 2}));
  answer.ttl = ttl;
  return std::make_shared<const Outcome>(answer);
}
SharedOutcome nothing(std::chrono::seconds ttl) {
  Answer<IpAddress> answer;
  answer.name_exists = false;
  answer.ttl = ttl;
  return std::make_shared<const Outcome>(answer);
}
SharedOutcome failure(Errc code) { return std::make_shared<const Outcome>(fail(code, "text")); }
Question numbered(int number) { return {Type::a, "n" + std::to_string(number) + ".example"}; }

}  // namespace

TEST_CASE("Cache: keeps an answer until its time is over, and says what is left", "[dns][cache]") {
  Cache cache({});
  const auto outcome = addresses(300s);
  cache.keep(question, outcome, start);
  const auto found = cache.find(question, start + 100s);
  REQUIRE(found);
  CHECK(found->outcome == outcome);
  CHECK(found->ttl == 200s);
  CHECK(cache.find(question, start + 299s));
  CHECK_FALSE(cache.find(question, start + 300s));
  CHECK(cache.entries() == 0);
  CHECK(cache.octets() == 0);
}

TEST_CASE("Cache: the type is part of the question", "[dns][cache]") {
  Cache cache({});
  cache.keep(question, addresses(300s), start);
  CHECK_FALSE(cache.find({Type::aaaa, "example.net"}, start));
  CHECK_FALSE(cache.find({Type::a, "www.example.net"}, start));
}

TEST_CASE("Cache: each kind of outcome has its time", "[dns][cache]") {
  struct Row {
    const char* why;
    SharedOutcome outcome;
    std::chrono::seconds kept;
  };
  const auto row = GENERATE(values<Row>({
      {"as the answer says", addresses(60s), 60s},
      {"a day at most", addresses(std::chrono::seconds(INT32_MAX)), 24h},
      {"not at all", addresses(0s), 0s},
      {"nothing there", nothing(900s), 900s},
      {"nothing there: an hour at most", nothing(24h), 1h},
      {"nothing there, not at all", nothing(0s), 0s},
      {"SERVFAIL", failure(Errc::servfail), 5s},
      {"malformed", failure(Errc::malformed), 5s},
      {"timed out", failure(Errc::timed_out), 0s},
      {"cancelled", failure(Errc::cancelled), 0s},
      {"refused", failure(Errc::refused), 0s},
  }));
  CAPTURE(row.why);
  CHECK(lifetime(*row.outcome) == row.kept);
  Cache cache({});
  cache.keep(question, row.outcome, start);
  CHECK(cache.find(question, start).has_value() == (row.kept > 0s));
  CHECK(cache.find(question, start + row.kept - 1s).has_value() == (row.kept > 0s));
  CHECK_FALSE(cache.find(question, start + row.kept));
}

TEST_CASE("Cache: a newer outcome takes the place of the older", "[dns][cache]") {
  Cache cache({});
  cache.keep(question, addresses(300s), start);
  const auto newer = nothing(300s);
  cache.keep(question, newer, start + 1s);
  CHECK(cache.find(question, start + 1s)->outcome == newer);
  CHECK(cache.entries() == 1);
  cache.keep(question, failure(Errc::timed_out), start + 2s);
  CHECK_FALSE(cache.find(question, start + 2s));
}

TEST_CASE("Cache: what was not asked for longest goes first", "[dns][cache]") {
  Cache cache({.entries = 3, .octets = 1'000'000});
  for (int i = 0; i < 3; ++i) cache.keep(numbered(i), addresses(300s), start);
  CHECK(cache.find(numbered(0), start));
  cache.keep(numbered(3), addresses(300s), start);
  CHECK(cache.find(numbered(0), start));
  CHECK_FALSE(cache.find(numbered(1), start));
  CHECK(cache.find(numbered(2), start));
  CHECK(cache.entries() == 3);
}

TEST_CASE("Cache: is bounded by octets too", "[dns][cache]") {
  Cache cache({.entries = 1'000'000, .octets = 100'000});
  for (int i = 0; i < 1000; ++i) {
    cache.keep(numbered(i), addresses(300s, 100), start);
    CHECK(cache.octets() <= 100'000);
  }
  CHECK(cache.entries() > 20);
  CHECK(cache.entries() < 100);
  CHECK(cache.find(numbered(999), start));
  const std::size_t before = cache.entries();
  cache.keep(numbered(1000), addresses(300s, 100'000), start);  // larger than all of the cache
  CHECK_FALSE(cache.find(numbered(1000), start));
  CHECK(cache.entries() == before);
}

TEST_CASE("Cache: none at all is a cache too", "[dns][cache]") {
  Cache cache({.entries = 0, .octets = 1000});
  cache.keep(question, addresses(300s), start);
  CHECK_FALSE(cache.find(question, start));
}
