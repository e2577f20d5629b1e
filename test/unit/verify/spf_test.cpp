// What the public suite does not show: limits one by one, time, and what strangers choose.
#include <postern/coro/deadline.hpp>
#include <postern/coro/scope.hpp>
#include <postern/testing/scripted_resolver.hpp>
#include <postern/verify/spf.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "catch.hpp"

using namespace postern;
using namespace postern::verify;
using namespace postern::testing;
using namespace std::chrono_literals;

namespace {

struct World {
  SimScheduler sim;
  ScriptedResolver dns{sim};

  SpfAnswer ask(const std::string& domain, const char* client = "192.0.2.1",
                const std::string& local = "alice") {
    auto query = spf_query_of_sender(IpAddress::parse(client).value(), local, domain,
                                     "mx.example.org", "us.example");
    SpfAnswer answer = sim.run(check_host(dns, std::move(query)));
    CHECK(sim.live_tasks() == 0);
    return answer;
  }
};

coro::Task<SpfAnswer> in_time(dns::Resolver& resolver, SpfQuery query, coro::Duration limit) {
  auto answer = co_await coro::within(limit, check_host(resolver, std::move(query)));
  co_return answer;
}

coro::Task<void> keep(dns::Resolver& resolver, SpfQuery query, SpfResult& out) {
  const auto answer = co_await check_host(resolver, std::move(query));
  out = answer.result;
}

}  // namespace

TEST_CASE("check_host: says what matched, and what it says of others", "[verify][spf][line:39]") {
  World w;
  w.dns.add_txt("a.example", "some=thing");
  w.dns.add_txt("a.example", "v=spf1 ip4:198.51.100.0/24 include:b.example ~all");
  w.dns.add_txt("b.example", "v=spf1 ip4:192.0.2.0/24 -all");
  const auto passed = w.ask("A.example.");
  CHECK(passed.result == SpfResult::pass);
  CHECK(passed.identity == SpfIdentity::mailfrom);
  CHECK(passed.domain == "A.example");
  CHECK(passed.mechanism == "include:b.example");
  CHECK(passed.lookups == 1);
  CHECK(passed.others == SpfResult::softfail);
  CHECK(passed.problem.empty());
  const auto failed = w.ask("b.example", "203.0.113.1");
  CHECK(failed.result == SpfResult::fail);
  CHECK(failed.mechanism == "all");
  CHECK(failed.others == SpfResult::fail);
}

TEST_CASE("check_host: the record that is redirected to decides", "[verify][spf]") {
  World w;
  w.dns.add_txt("a.example", "v=spf1 redirect=b.example");
  w.dns.add_txt("b.example", "v=spf1 ip4:192.0.2.0/24 -all");
  const auto answer = w.ask("a.example");
  CHECK(answer.result == SpfResult::pass);
  CHECK(answer.mechanism == "ip4:192.0.2.0/24");
  CHECK(answer.domain == "a.example");
  CHECK(answer.others == SpfResult::fail);
}

TEST_CASE("check_host: nothing matched", "[verify][spf]") {
  World w;
  w.dns.add_txt("a.example", "v=spf1 ip4:198.51.100.1");
  const auto answer = w.ask("a.example");
  CHECK(answer.result == SpfResult::neutral);
  CHECK(answer.mechanism == "default");
  CHECK_FALSE(answer.others);
}

TEST_CASE("check_host: a domain that is none has no policy, and nobody is asked", "[verify][spf]") {
  World w;
  const std::string label(64, 'a');
  for (const std::string& domain :
       {std::string("localhost"), std::string("[192.0.2.1]"), std::string("a..example"),
        label + ".example", std::string("b\xc3\xbc.example"), std::string("."),
        std::string("a b.example"), std::string(300, 'a')}) {
    CAPTURE(domain);
    CHECK(w.ask(domain).result == SpfResult::none);
  }
  CHECK(w.dns.asked() == 0);
}

TEST_CASE("check_host: a bounce is its greeting's", "[verify][spf]") {
  World w;
  w.dns.add_txt("mx.example.org", "v=spf1 exists:%{l}.at.%{o} -all");
  w.dns.add_a("postmaster.at.mx.example.org", "127.0.0.1");
  const auto answer = w.ask("", "192.0.2.1", "");
  CHECK(answer.identity == SpfIdentity::helo);
  CHECK(answer.domain == "mx.example.org");
  CHECK(answer.result == SpfResult::pass);
}

TEST_CASE("check_host: a quoted local-part counts without its quotes", "[verify][spf]") {
  World w;
  w.dns.add_txt("a.example", "v=spf1 exists:%{l}.at.%{o} -all");
  w.dns.add_a("al ice\"x.at.a.example", "127.0.0.1");
  CHECK(w.ask("a.example", "192.0.2.1", "\"al\\ ice\\\"x\"").result == SpfResult::pass);
}

TEST_CASE("check_host: names from local-parts that are none do not match", "[verify][spf]") {
  World w;
  w.dns.add_txt("a.example", "v=spf1 exists:%{l}.x.example -all");
  for (const std::string& local :
       {std::string("a..b"), std::string(64, 'x'), std::string("\xc3\xbc"), std::string(".")}) {
    CAPTURE(local);
    CHECK(w.ask("a.example", "192.0.2.1", local).result == SpfResult::fail);
  }
}

// ---- Limits (section 4.6.4) ----

TEST_CASE("check_host: ten terms may ask", "[verify][spf][line:39]") {
  const bool eleven = GENERATE(false, true);
  World w;
  w.dns.add_a("y.example", "198.51.100.1");
  std::string record = "v=spf1";
  for (int i = 0; i < (eleven ? 11 : 10); ++i) record += i % 2 ? " a:y.example" : " ptr";
  w.dns.add_txt("a.example", record + " ip4:192.0.2.1 -all");
  const auto answer = w.ask("a.example");
  CHECK(answer.lookups == 10);
  CHECK(answer.result == (eleven ? SpfResult::permerror : SpfResult::pass));
  CHECK(answer.problem == (eleven ? "more than 10 terms that ask the DNS" : ""));
}

TEST_CASE("check_host: includes and redirects count together, loops end", "[verify][spf]") {
  World w;
  for (int i = 0; i < 12; ++i)
    w.dns.add_txt(fmt::format("i{}.example", i),
                  fmt::format("v=spf1 include:i{}.example ?all", i + 1));
  w.dns.add_txt("i10.deep.example", "v=spf1 +all");
  for (int i = 0; i < 10; ++i)
    w.dns.add_txt(
        fmt::format("i{}.deep.example", i),
        fmt::format("v=spf1 {}i{}.deep.example", i % 2 ? "redirect=" : "include:", i + 1));
  w.dns.add_txt("self.example", "v=spf1 include:self.example");
  w.dns.add_txt("round.example", "v=spf1 redirect=round.example");
  CHECK(w.ask("i0.example").result == SpfResult::permerror);
  CHECK(w.ask("self.example").result == SpfResult::permerror);
  CHECK(w.ask("round.example").result == SpfResult::permerror);
  const auto deep = w.ask("i0.deep.example");
  CHECK(deep.result == SpfResult::pass);
  CHECK(deep.lookups == 10);
}

TEST_CASE("check_host: two lookups may find nothing", "[verify][spf]") {
  struct Row {
    const char* why;
    const char* record;
    SpfResult result;
  };
  const auto row = GENERATE(values<Row>({
      {"two names that do not exist", "a:x1.example mx:x2.example +all", SpfResult::pass},
      {"three", "a:x1.example mx:x2.example exists:x3.example +all", SpfResult::permerror},
      {"no data", "a:e.example a:e.example a:e.example +all", SpfResult::permerror},
      {"hosts of an MX", "mx:gone.example +all", SpfResult::permerror},
      {"hosts behind the one that matches", "mx:first.example -all", SpfResult::pass},
      {"the client's names are not the domain's fault",
       "ptr exists:%{p}.x a:x1.example a:x2.example +all", SpfResult::permerror},
      {"nor count", "ptr a:x1.example a:x2.example +all", SpfResult::pass},
      {"a name that is none is not asked for", "a:a..b.example a:c..d.example a:e..f.example +all",
       SpfResult::pass},
  }));
  CAPTURE(row.why);
  World w;
  w.dns.add_txt("a.example", std::string("v=spf1 ") + row.record);
  w.dns.add_empty("e.example");
  for (std::uint16_t i = 1; i <= 3; ++i)
    w.dns.add_mx("gone.example", i, fmt::format("h{}.gone.example", i));
  w.dns.add_mx("first.example", 1, "mx.first.example");
  w.dns.add_a("mx.first.example", "192.0.2.1");
  for (std::uint16_t i = 2; i <= 5; ++i)
    w.dns.add_mx("first.example", i, fmt::format("h{}.first.example", i));
  for (int i = 0; i < 5; ++i) w.dns.add_ptr("192.0.2.1", fmt::format("p{}.nowhere.example", i));
  CHECK(w.ask("a.example").result == row.result);
}

TEST_CASE("check_host: ten hosts of an MX", "[verify][spf]") {
  const auto hosts = static_cast<std::uint16_t>(GENERATE(10, 11));
  World w;
  w.dns.add_txt("a.example", "v=spf1 mx -all");
  for (std::uint16_t i = 1; i <= hosts; ++i) {
    w.dns.add_mx("a.example", i, fmt::format("mx{}.example", i));
    w.dns.add_a(fmt::format("mx{}.example", i), i == 10 ? "192.0.2.1" : "198.51.100.1");
  }
  w.dns.delay_all(100ms);
  const auto answer = w.ask("a.example");
  CHECK(answer.result == (hosts == 10 ? SpfResult::pass : SpfResult::permerror));
  CHECK(w.dns.asked() == (hosts == 10 ? 12u : 2u));
  CHECK(w.sim.elapsed() == (hosts == 10 ? 300ms : 200ms));  // the hosts at the same time
}

TEST_CASE("check_host: a hundred names of a client cost eleven lookups", "[verify][spf]") {
  World w;
  w.dns.add_txt("a.example", "v=spf1 ptr ptr:b.example exists:%{p}.c.example -all");
  for (int i = 0; i < 100; ++i) {
    w.dns.add_ptr("192.0.2.1", fmt::format("h{}.a.example", i));
    w.dns.add_a(fmt::format("h{}.a.example", i), i < 10 ? "198.51.100.1" : "192.0.2.1");
  }
  CHECK(w.ask("a.example").result == SpfResult::fail);
  CHECK(w.dns.asked() == 1 + 11 + 1);  // the record; the names, once; exists:
  CHECK(w.dns.asked("unknown.c.example") == 1);
}

// ---- The DNS fails ----

TEST_CASE("check_host: trouble is temporary, a wrong record is not", "[verify][spf]") {
  struct Row {
    const char* why;
    const char* record;
    SpfResult result;
  };
  const auto row = GENERATE(values<Row>({
      {"a", "a:broken.example +all", SpfResult::temperror},
      {"mx", "mx:broken.example +all", SpfResult::temperror},
      {"a host of an MX", "mx:hosts.example +all", SpfResult::temperror},
      {"exists", "exists:broken.example +all", SpfResult::temperror},
      {"include", "include:broken.example +all", SpfResult::temperror},
      {"redirect", "redirect=broken.example", SpfResult::temperror},
      {"malformed", "a:odd.example +all", SpfResult::temperror},
      {"the client's name", "ptr +all", SpfResult::pass},
      {"an include that is no record", "include:none.example +all", SpfResult::permerror},
      {"a redirect that is none", "redirect=none.example", SpfResult::permerror},
      {"an include that is no domain", "include:a..b.example +all", SpfResult::permerror},
      {"a redirect that is no domain", "redirect=a..b.example", SpfResult::permerror},
      {"a wrong record in an include", "include:wrong.example +all", SpfResult::permerror},
      {"behind the end", "+all a:broken.example", SpfResult::pass},
  }));
  CAPTURE(row.why);
  World w;
  w.dns.add_txt("a.example", std::string("v=spf1 ") + row.record);
  w.dns.fail("broken.example", Errc::servfail);
  w.dns.fail("odd.example", Errc::malformed);
  w.dns.fail("1.2.0.192.in-addr.arpa", Errc::servfail);
  w.dns.add_mx("hosts.example", 1, "broken.example");
  w.dns.add_empty("none.example");
  w.dns.add_txt("wrong.example", "v=spf1 nonsense");
  const auto answer = w.ask("a.example");
  CHECK(answer.result == row.result);
  CHECK(answer.problem.empty() == (row.result == SpfResult::pass));
}

TEST_CASE("check_host: ends with the caller's time", "[verify][spf]") {
  const std::string record =
      GENERATE(as<std::string>(), "a:slow.example +all", "mx -all", "ptr -all",
               "exists:%{p}.example -all", "include:slow.example");
  CAPTURE(record);
  World w;
  w.dns.add_txt("a.example", "v=spf1 " + record);
  w.dns.add_mx("a.example", 1, "slow.example");
  w.dns.silence("slow.example");
  w.dns.silence("1.2.0.192.in-addr.arpa");
  auto query = spf_query_of_sender(IpAddress::parse("192.0.2.1").value(), "a", "a.example",
                                   "h.example", "us.example");
  const auto answer = w.sim.run(in_time(w.dns, std::move(query), 2s));
  CHECK(answer.result == SpfResult::temperror);
  CHECK(w.sim.elapsed() == 2s);
  CHECK(w.sim.live_tasks() == 0);
}

TEST_CASE("check_host: a stopped caller leaves nothing behind", "[verify][spf]") {
  World w;
  w.dns.add_txt("a.example", "v=spf1 mx -all");
  for (std::uint16_t i = 1; i <= 5; ++i) {
    w.dns.add_mx("a.example", i, fmt::format("mx{}.example", i));
    w.dns.silence(fmt::format("mx{}.example", i));
  }
  SpfResult result = SpfResult::none;
  coro::Scope scope(w.sim, "test");
  auto query = spf_query_of_sender(IpAddress::parse("192.0.2.1").value(), "a", "a.example",
                                   "h.example", "us.example");
  scope.start(keep(w.dns, std::move(query), result));
  w.sim.run_for(1s);
  CHECK(w.dns.waiting() == 5);
  scope.stop(Errc::cancelled);
  w.sim.run_until_idle();
  CHECK(result == SpfResult::temperror);
  CHECK(w.dns.cancelled("mx3.example"));
  CHECK(scope.running() == 0);
  CHECK(w.sim.live_tasks() == 0);
}

TEST_CASE("check_host: which answer comes first changes nothing", "[verify][spf]") {
  const int slow = GENERATE(0, 1, 2, 3);
  World w;
  w.dns.add_txt("a.example", "v=spf1 mx exists:%{p}.ok.example -all");
  for (std::uint16_t i = 0; i < 4; ++i) {
    const std::string host = fmt::format("h{}.example", i);
    w.dns.add_mx("a.example", i, host);
    w.dns.add_ptr("192.0.2.1", host);
    if (i != 0) w.dns.add_a(host, "192.0.2.1");
    w.dns.delay(host, i == slow ? 900ms : 10ms * i);
  }
  w.dns.fail("h2.example", Errc::servfail);
  // h0 is void, h1 matches, what h2 says is not looked at.
  const auto answer = w.ask("a.example");
  CHECK(answer.result == SpfResult::pass);
  CHECK(answer.mechanism == "mx");
}

// ---- What strangers say ----

TEST_CASE("check_host: an explanation is printable, and short", "[verify][spf]") {
  struct Row {
    const char* why;
    std::string text;
    std::string said;
  };
  const auto row = GENERATE(values<Row>({
      {"as it is", "Mail of %{d} comes from elsewhere.", "Mail of a.example comes from elsewhere."},
      {"CR LF", "one\r\n250 two", ""},
      {"ESC", "\x1b[2J", ""},
      {"UTF-8", "\xc3\xbc", ""},
      {"wrong", "%{y}", ""},
      {"what the client said", "%{l}", "al\\x0d\\x0aice"},
      {"a backslash", "a\\b", "a\\\\b"},
      {"in URLs", "https://a.example/?%{S}", "https://a.example/?al%0D%0Aice%40a.example"},
      {"long", std::string(5000, 'x'), std::string(400, 'x')},
  }));
  CAPTURE(row.why);
  World w;
  w.dns.add_txt("a.example", "v=spf1 -all exp=why.example");
  w.dns.add_txt("why.example", row.text);
  const auto answer = w.ask("a.example", "192.0.2.1", "al\r\nice");
  CHECK(answer.result == SpfResult::fail);
  CHECK(answer.explanation == row.said);
}

TEST_CASE("check_host: the explanation is looked up for a fail and nothing else", "[verify][spf]") {
  World w;
  w.dns.add_txt("a.example", "v=spf1 ip4:192.0.2.1 ~all exp=why.example");
  w.dns.add_txt("why.example", "because");
  CHECK(w.ask("a.example").explanation.empty());
  CHECK(w.ask("a.example", "198.51.100.1").explanation.empty());
  CHECK(w.dns.asked("why.example") == 0);
}

TEST_CASE("check_host: %{p} prefers the domain's own names, in an order of ours", "[verify][spf]") {
  World w;
  w.dns.add_txt("a.example", "v=spf1 -all exp=why.example");
  w.dns.add_txt("why.example", "%{p}");
  std::vector<std::string> names = {"z.example", "b.a.example", "c.a.example", "y.example"};
  const bool has_apex = GENERATE(false, true);
  const bool reversed = GENERATE(false, true);
  if (has_apex) names.push_back("a.example");
  if (reversed) std::reverse(names.begin(), names.end());
  for (const std::string& name : names) {
    w.dns.add_ptr("192.0.2.1", name);
    w.dns.add_a(name, "192.0.2.1");
  }
  CHECK(w.ask("a.example").explanation == (has_apex ? "a.example" : "b.a.example"));
}
