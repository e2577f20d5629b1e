#include <postern/coro/deadline.hpp>
#include <postern/dns/forward_confirmed.hpp>

#include <deque>

#include "../unit/coro/outcome.hpp"
#include "catch.hpp"
#include "fixture.hpp"

using namespace postern;
using namespace postern::coro;
using namespace postern::conformance;
using namespace std::chrono_literals;

namespace {

using Addresses = Result<dns::Answer<IpAddress>>;

Task<Addresses> a_within(dns::Resolver& resolver, std::string name, Duration limit) {
  auto lookup = resolver.a(std::move(name));
  auto answer = co_await within(limit, std::move(lookup));
  co_return answer;
}

template <typename Record>
std::vector<Record> records(Result<dns::Answer<Record>> answer) {
  if (!answer) FAIL(answer.error().describe());
  CHECK(answer->name_exists);
  CHECK(answer->ttl > 290s);  // of 300, less what has passed
  CHECK(answer->ttl <= 300s);
  return answer->records;
}

template <typename T>
Errc code_of(const Result<T>& result) {
  REQUIRE_FALSE(result);
  return result.error().code;
}

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

}  // namespace

TEST_CASE("Resolver: finds the records of each type", "[conformance][dns]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  Names& names = fixture.names();
  names.add_a("all.example", "192.0.2.1");
  names.add_a("all.example", "192.0.2.2");
  names.add_aaaa("all.example", "2001:db8::1");
  names.add_mx("all.example", 20, "two.example");
  names.add_mx("all.example", 10, "one.example");
  names.add_txt("all.example", "v=spf1 -all");
  names.add_txt("all.example", std::string(2000, 'x') + std::string("\0\xff", 2));
  names.add_ptr("192.0.2.1", "all.example");
  names.add_ptr("2001:db8::1", "six.example");

  dns::Resolver& dns = fixture.resolver();
  for (const char* name : {"all.example", "ALL.example."}) {
    CAPTURE(name);
    const auto a = records(fixture.run(dns.a(name)));
    CHECK(a == std::vector<IpAddress>{ip("192.0.2.1"), ip("192.0.2.2")});
    CHECK(records(fixture.run(dns.aaaa(name))) == std::vector<IpAddress>{ip("2001:db8::1")});
    const auto mx = records(fixture.run(dns.mx(name)));
    CHECK(mx == std::vector<dns::Mx>{{10, "one.example"}, {20, "two.example"}});
    const auto txt = records(fixture.run(dns.txt(name)));
    REQUIRE(txt.size() == 2);
    CHECK(txt[0] == "v=spf1 -all");
    CHECK(txt[1].size() == 2002);
    CHECK(txt[1].ends_with(std::string("\0\xff", 2)));
  }
  CHECK(records(fixture.run(dns.ptr(ip("192.0.2.1")))) == std::vector<std::string>{"all.example"});
  CHECK(records(fixture.run(dns.ptr(ip("2001:db8::1")))) ==
        std::vector<std::string>{"six.example"});
}

TEST_CASE("Resolver: a null MX has no name", "[conformance][dns]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  fixture.names().add_mx("null.example", 0, "");
  const auto mx = records(fixture.run(fixture.resolver().mx("null.example")));
  CHECK(mx == std::vector<dns::Mx>{{0, ""}});
}

TEST_CASE("Resolver: no data and no such name are answers, and two", "[conformance][dns]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  fixture.names().add_a("a.example", "192.0.2.1");
  const auto no_data = fixture.run(fixture.resolver().mx("a.example"));
  REQUIRE(no_data);
  CHECK(no_data->empty());
  CHECK(no_data->name_exists);
  const auto no_name = fixture.run(fixture.resolver().mx("none.example"));
  REQUIRE(no_name);
  CHECK(no_name->empty());
  CHECK_FALSE(no_name->name_exists);
}

TEST_CASE("Resolver: silence and broken servers are errors, and two", "[conformance][dns]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  fixture.names().silence("silent.example");
  fixture.names().break_servers_of("broken.example");
  CHECK(code_of(fixture.run(fixture.resolver().a("silent.example"))) == Errc::timed_out);
  CHECK(code_of(fixture.run(fixture.resolver().a("broken.example"))) == Errc::servfail);
  CHECK(code_of(fixture.run(fixture.resolver().txt("broken.example"))) == Errc::servfail);
}

TEST_CASE("Resolver: what is no name is malformed", "[conformance][dns]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  dns::Resolver& dns = fixture.resolver();
  for (const std::string& name :
       {std::string(), std::string("."), std::string("a..b"), std::string(64, 'x') + ".example",
        std::string("a\tb.example"), std::string("a\0.example", 10)}) {
    CAPTURE(name);
    CHECK(code_of(fixture.run(dns.a(name))) == Errc::malformed);
    CHECK(code_of(fixture.run(dns.mx(name))) == Errc::malformed);
    CHECK(code_of(fixture.run(dns.txt(name))) == Errc::malformed);
  }
}

TEST_CASE("Resolver: an answer from afar never comes from inside the call", "[conformance][dns]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  fixture.names().add_a("a.example", "192.0.2.1");
  Outcome<Addresses> outcome;
  Scope scope(fixture.scheduler(), "client");
  scope.start(keep(fixture.resolver().a("a.example"), outcome));
  CHECK_FALSE(outcome.value);
  fixture.join(scope);
  CHECK(outcome.ok());
}

TEST_CASE("Resolver: a stop ends the wait at once and nothing else", "[conformance][dns]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  fixture.names().silence("silent.example");
  fixture.names().add_a("a.example", "192.0.2.1");
  Outcome<Addresses> stopped, other;
  Scope one(fixture.scheduler(), "one");
  Scope two(fixture.scheduler(), "two");
  one.start(keep(fixture.resolver().a("silent.example"), stopped));
  two.start(keep(fixture.resolver().a("silent.example"), other));
  fixture.settle(5ms);
  const TimePoint before = fixture.scheduler().now();
  one.stop(Errc::cancelled);
  CHECK_FALSE(stopped.value);  // it is resumed in a later turn
  fixture.join(one);
  CHECK(stopped.is(Errc::cancelled));
  CHECK(fixture.scheduler().now() - before < 400ms);
  CHECK(fixture.run(fixture.resolver().a("a.example")));
  CHECK_FALSE(other.value);
  fixture.join(two);
  CHECK(other.is(Errc::timed_out));
}

TEST_CASE("Resolver: a caller that was stopped before gets no answer", "[conformance][dns]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  fixture.names().add_a("a.example", "192.0.2.1");
  Outcome<Addresses> outcome;
  Scope scope(fixture.scheduler(), "client");
  scope.stop(Errc::cancelled);
  scope.start(keep(fixture.resolver().a("a.example"), outcome));
  fixture.join(scope);
  CHECK(outcome.is(Errc::cancelled));
  fixture.settle();
}

TEST_CASE("Resolver: a deadline of the caller's counts", "[conformance][dns]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  fixture.names().silence("silent.example");
  const TimePoint before = fixture.scheduler().now();
  CHECK(code_of(fixture.run(a_within(fixture.resolver(), "silent.example", 50ms))) ==
        Errc::timed_out);
  CHECK(fixture.scheduler().now() - before >= 50ms);
  CHECK(fixture.scheduler().now() - before < 400ms);
}

TEST_CASE("Resolver: a hundred lookups at a time", "[conformance][dns]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  std::deque<Outcome<Addresses>> outcomes(100);
  Scope scope(fixture.scheduler(), "clients");
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const std::string name = "n" + std::to_string(i / 2) + ".example";  // two for each
    if (i % 2 == 0) fixture.names().add_a(name, "192.0.2." + std::to_string(i));
    scope.start(keep(fixture.resolver().a(name), outcomes[i]));
  }
  fixture.join(scope);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    REQUIRE(outcomes[i].ok());
    CHECK((*outcomes[i].value)->records.at(0).octets()[15] == i / 2 * 2);
  }
  CHECK(fixture.names().asked("n7.example") >= 1);
}

TEST_CASE("Resolver: reverse DNS that is confirmed, and that is not", "[conformance][dns]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  Names& names = fixture.names();
  names.add_ptr("192.0.2.1", "liar.example");
  names.add_ptr("192.0.2.1", "mx.example");
  names.add_ptr("192.0.2.1", "silent.example");
  names.add_a("liar.example", "192.0.2.2");
  names.add_a("mx.example", "192.0.2.1");
  names.silence("silent.example");
  const auto reverse = fixture.run(dns::reverse_dns(fixture.resolver(), ip("192.0.2.1")));
  REQUIRE(reverse);
  CHECK(reverse->names.size() == 3);
  CHECK(reverse->confirmed == std::vector<std::string>{"mx.example"});
  CHECK(reverse->unsure);
  const auto none = fixture.run(dns::reverse_dns(fixture.resolver(), ip("192.0.2.9")));
  REQUIRE(none);
  CHECK(none->names.empty());
}
