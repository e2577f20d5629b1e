// dnsbl: names of clients in lists, and lists that fail their own test (RFC 5782).
#include "dnsbl_zones.hpp"

#include <string>

#include "catch.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::name_in;
using testing::Harness;

namespace {

constexpr const char* zone = "zones = [\"bl.example\"]";

int code_of(Harness& h) {
  const int code = test::whole_dialogue(h).code;
  h.client.close();
  h.run_for(1s);
  return code;
}

void tick(Harness& h) {
  h.tick();
  h.run_for(10s);
}

bool logged(const Harness& h, const std::string& part) {
  for (const std::string& line : h.log.lines)
    if (test::contains(line, part)) return true;
  return false;
}

}  // namespace

TEST_CASE("dnsbl: a client's name in a list", "[plugins][dnsbl]") {
  struct Row {
    const char* client;
    const char* name;
  };
  const auto row = GENERATE(values<Row>({
      {"192.0.2.1", "1.2.0.192.bl.example"},
      {"203.0.113.250", "250.113.0.203.bl.example"},
      {"2001:db8:1:2:3:4:567:89ab",
       "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.bl.example"},
      {"::ffff:192.0.2.1", "1.2.0.192.bl.example"},
  }));
  CAPTURE(row.client);
  Harness h;
  h.dns.add_a(row.name, "127.0.0.2");
  h.load("dnsbl", zone);
  test::Letter letter;
  letter.client = row.client;
  CHECK(test::whole_dialogue(h, letter).code == 550);
  CHECK(h.dns.asked(row.name) == 2);
  CHECK(h.dns.asked() == 2);
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: a list that fails its own test is not asked until it is well again",
          "[plugins][dnsbl][tick][line:42]") {
  const std::string how =
      GENERATE("it has gone", "it lists the world", "it refuses us", "it was sold");
  CAPTURE(how);
  Harness h;
  test::list(h, "bl.example");
  const std::string must = "2.0.0.127.bl.example", must_not = "1.0.0.127.bl.example";
  if (how == "it lists the world") {
    h.dns.add_a(must, "127.0.0.2");
    h.dns.add_a(must_not, "127.0.0.2");
  }
  if (how == "it refuses us") h.dns.add_a(must, "127.255.255.254");
  if (how == "it was sold") h.dns.add_a(must, "198.51.100.1");
  h.load("dnsbl", std::string(zone) + "\non_error = \"defer\"");
  CHECK(code_of(h) == 550);  // not tested yet
  tick(h);
  CHECK(logged(h, "bl.example fails the test of RFC 5782"));
  const auto asked = h.dns.asked(name_in("bl.example"));
  CHECK(code_of(h) == 250);
  CHECK(h.dns.asked(name_in("bl.example")) == asked);
  CHECK(test::contains(test::all_records(h), "\"suspended\":[\"bl.example\"]"));
  tick(h);
  CHECK(code_of(h) == 250);
  if (how == "it has gone") {
    h.dns.add_a(must, "127.0.0.2");
    tick(h);
    CHECK(logged(h, "bl.example works again"));
    CHECK(code_of(h) == 550);
  }
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: one list's failure says nothing of another", "[plugins][dnsbl][tick]") {
  Harness h;
  test::list(h, "good.example");
  test::list(h, "gone.example");
  test::add_test_entry(h, "good.example");
  h.dns.silence("2.0.0.127.silent.example");
  h.load("dnsbl",
         "zones = [\"silent.example\", \"gone.example\", \"good.example\"]\nthreshold = 2");
  tick(h);
  CHECK(logged(h, "gone.example fails"));
  CHECK_FALSE(logged(h, "good.example fails"));
  CHECK_FALSE(logged(h, "silent.example fails"));
  CHECK(code_of(h) == 250);
  CHECK(h.dns.asked(name_in("silent.example")) == 1);
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: silence and errors change nothing about a list", "[plugins][dnsbl][tick]") {
  const bool silent = GENERATE(true, false);
  const bool suspended = GENERATE(true, false);
  CAPTURE(silent, suspended);
  Harness h;
  test::list(h, "bl.example");
  const std::string must = "2.0.0.127.bl.example";
  if (!suspended) test::add_test_entry(h, "bl.example");
  h.load("dnsbl", zone);
  tick(h);
  CHECK(code_of(h) == (suspended ? 250 : 550));
  if (silent)
    h.dns.silence(must);
  else
    h.dns.fail(must, Errc::servfail);
  tick(h);
  CHECK(code_of(h) == (suspended ? 250 : 550));
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: a list that works is not told of", "[plugins][dnsbl][tick]") {
  Harness h;
  test::add_test_entry(h, "bl.example");
  test::list(h, "bl.example");
  h.load("dnsbl", zone);
  tick(h);
  tick(h);
  CHECK(h.dns.asked("2.0.0.127.bl.example") == 2);
  CHECK(h.dns.asked("1.0.0.127.bl.example") == 2);
  CHECK_FALSE(logged(h, "bl.example"));
  CHECK(code_of(h) == 550);
  CHECK(h.end() == "");
}
