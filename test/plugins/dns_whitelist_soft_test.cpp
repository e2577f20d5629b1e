// dns_whitelist_soft: vouches for clients that DNS white lists name.
#include <string>

#include "catch.hpp"
#include "dnsbl_zones.hpp"

using namespace postern;
using testing::Harness;

TEST_CASE("dns_whitelist_soft: who is listed is spared by who asks it",
          "[plugins][dns_whitelist_soft]") {
  struct Row {
    const char* why;
    const char* keys;
    const char* answer;
    int code;
  };
  const auto row = GENERATE(values<Row>({
      {"not listed", "zones = [\"wl.example\"]", "", 550},
      {"listed", "zones = [\"wl.example\"]", "127.0.5.1", 250},
      {"not well enough", "zones = [{ name = \"wl.example\", codes = [\"127.0.5.2\"] }]",
       "127.0.5.1", 550},
      {"well enough", "zones = [{ name = \"wl.example\", codes = [\"127.0.5.2\"] }]", "127.0.5.2",
       250},
      {"the list refuses to tell", "zones = [\"wl.example\"]", "127.0.0.255", 550},
      {"the list has died", "zones = [\"wl.example\"]", "203.0.113.1", 550},
      {"one list is not enough", "zones = [\"wl.example\"]\nthreshold = 2", "127.0.5.1", 550},
  }));
  CAPTURE(row.why);
  Harness h;
  if (*row.answer) test::list(h, "wl.example", "", row.answer);
  test::list(h, "bl.example");
  h.load("dns_whitelist_soft", row.keys);
  h.load("dnsbl", "zones = [\"bl.example\"]\nexempt = { passed = [\"dns_whitelist_soft\"] }");
  CHECK(test::whole_dialogue(h).code == row.code);
  CHECK(h.end() == "");
}

TEST_CASE("dns_whitelist_soft: a silent list recommends nobody and holds up nobody for long",
          "[plugins][dns_whitelist_soft]") {
  Harness h;
  h.dns.silence(test::name_in("wl.example"));
  h.load("dns_whitelist_soft", "zones = [\"wl.example\"]");
  CHECK(test::whole_dialogue(h).code == 250);
  CHECK(h.sim.elapsed() < std::chrono::seconds(4));
  CHECK(h.end() == "");
}

TEST_CASE("dns_whitelist_soft: a list that lists the world is not asked any more",
          "[plugins][dns_whitelist_soft]") {
  Harness h;
  test::list(h, "wl.example", "", "127.0.5.1");
  h.dns.add_a("1.0.0.127.wl.example", "127.0.5.1");
  test::list(h, "bl.example");
  test::add_test_entry(h, "bl.example");
  h.load("dns_whitelist_soft", "zones = [\"wl.example\"]");
  h.load("dnsbl", "zones = [\"bl.example\"]\nexempt = { passed = [\"dns_whitelist_soft\"] }");
  CHECK(test::whole_dialogue(h).code == 250);
  h.tick();
  h.run_for(std::chrono::seconds(10));
  CHECK(test::whole_dialogue(h).code == 550);
  CHECK(h.end() == "");
}
