// fcrdns: the client's host name, confirmed by looking it up again.
#include <fmt/format.h>

#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using testing::Harness;

namespace {

constexpr const char* v4 = "192.0.2.1";
constexpr const char* v6 = "2001:db8:1:2::1";
constexpr const char* not_confirmed = "5.7.25 Your host name is not confirmed by the DNS";

// `a.example` leads to the client, `b.example` to a neighbour, `c.example` elsewhere.
void fill(Harness& h) {
  h.dns.add_a("a.example", v4);
  h.dns.add_aaaa("a.example", v6);
  h.dns.add_a("b.example", "192.0.2.77");
  h.dns.add_aaaa("b.example", "2001:db8:1:2:ffff::9");
  h.dns.add_a("c.example", "192.0.3.1");
  h.dns.add_aaaa("c.example", "2001:db8:1:3::1");
}

}  // namespace

TEST_CASE("fcrdns: match, neighbour, mismatch, nothing", "[plugins][fcrdns]") {
  struct Row {
    const char* why;
    const char* client;
    const char* names;  // separated by blanks
    const char* iprev;
    const char* client_name;  // empty: none is confirmed
  };
  const auto row = GENERATE(values<Row>({
      {"match", v4, "a.example", "pass", "a.example"},
      {"match", v6, "a.example", "pass", "a.example"},
      {"the second name matches", v4, "c.example a.example", "pass", "a.example"},
      {"the same /24", v4, "b.example", "pass", "b.example"},
      {"the same /64", v6, "b.example", "pass", "b.example"},
      {"an exact match before a neighbour", v4, "b.example a.example", "pass", "a.example"},
      {"another /24", v4, "c.example", "fail", ""},
      {"another /64", v6, "c.example", "fail", ""},
      {"a name that does not exist", v4, "gone.example", "fail", ""},
      {"no name", v4, "", "permerror", ""},
      {"no name", v6, "", "permerror", ""},
  }));
  CAPTURE(row.why, row.client, row.names);
  Harness h;
  fill(h);
  std::string names = row.names;
  for (std::size_t blank; !names.empty(); names.erase(0, blank)) {
    blank = names.find(' ');
    if (blank == names.npos) blank = names.size();
    h.dns.add_ptr(row.client, names.substr(0, blank));
    if (blank < names.size()) ++blank;
  }
  h.load("fcrdns");
  const auto greeting = test::arrive(h, row.client);
  if (std::string(row.iprev) == "pass")
    CHECK(greeting.code == 220);
  else
    CHECK(in_one_line(greeting) == fmt::format("554 {}", not_confirmed));
  CHECK(h.end() == "");
  const std::string records = test::all_records(h);
  CAPTURE(records);
  CHECK(test::contains(records, fmt::format("\"iprev\":\"{}\"", row.iprev)));
  CHECK(test::contains(
      records,
      fmt::format("\"fact\":\"client.name\",\"by\":\"fcrdns\",\"name\":\"{}\"", row.client_name)));
}

TEST_CASE("fcrdns: neighbours may be no proof", "[plugins][fcrdns]") {
  const std::string client = GENERATE(v4, v6);
  Harness h;
  fill(h);
  h.dns.add_ptr(client, "b.example");
  h.load("fcrdns", "neighbours = false");
  CHECK(test::arrive(h, client).code == 554);
  CHECK(h.end() == "");
}

TEST_CASE("fcrdns: what a client must have", "[plugins][fcrdns]") {
  struct Row {
    const char* require;
    const char* name;  // of the client
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"nothing", "", "220"},
      {"nothing", "c.example", "220"},
      {"name", "", "554 5.7.25 Your address has no host name"},
      {"name", "c.example", "220"},
      {"name", "a.example", "220"},
      {"confirmed", "", "554 5.7.25 Your host name is not confirmed by the DNS"},
      {"confirmed", "c.example", "554 5.7.25 Your host name is not confirmed by the DNS"},
      {"confirmed", "a.example", "220"},
  }));
  CAPTURE(row.require, row.name);
  Harness h;
  fill(h);
  if (*row.name) h.dns.add_ptr(v4, row.name);
  h.load("fcrdns", fmt::format("require = \"{}\"", row.require));
  CHECK(in_one_line(test::arrive(h)).substr(0, std::string(row.heard).size()) == row.heard);
  CHECK(h.end() == "");
}

TEST_CASE("fcrdns: at other stages and softened it says 5.7.25 and 4.7.25", "[plugins][fcrdns]") {
  struct Row {
    const char* keys;
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"enforce_at = \"rcpt\"", "rcpt 550 5.7.25"},
      {"enforce_at = \"rcpt\"\nmode = \"defer\"", "rcpt 450 4.7.25"},
      {"mode = \"defer\"", "connect 421 4.7.25"},
      {"mode = \"observe\"", "nowhere 250"},
  }));
  CAPTURE(row.keys);
  Harness h;
  h.load("fcrdns", row.keys);
  CHECK(in_one_line(test::whole_dialogue(h)).substr(0, std::string(row.heard).size()) == row.heard);
  CHECK(h.end() == "");
}

TEST_CASE("fcrdns: a DNS that fails says nothing against the client", "[plugins][fcrdns]") {
  const std::string where =
      GENERATE("pointer fails", "pointer silent", "name fails", "name silent");
  const std::string on_error = GENERATE("", "defer", "reject");
  CAPTURE(where, on_error);
  Harness h;
  const std::string pointer = "1.2.0.192.in-addr.arpa";
  h.dns.add_ptr(v4, "a.example");
  if (where == "pointer fails") h.dns.fail(pointer, Errc::servfail);
  if (where == "pointer silent") h.dns.silence(pointer);
  if (where == "name fails") h.dns.fail("a.example", Errc::servfail);
  if (where == "name silent") h.dns.silence("a.example");
  h.load("fcrdns", on_error.empty() ? "" : fmt::format("on_error = \"{}\"", on_error));
  const int code = test::arrive(h).code;
  CHECK(code == (on_error == "defer" ? 421 : on_error == "reject" ? 554 : 220));
  CHECK(h.sim.elapsed() <= 6s);
  CHECK(h.end() == "");
  CHECK_FALSE(test::contains(test::all_records(h), "\"iprev\":\"fail\""));
}

TEST_CASE("fcrdns: one name that fails does not spoil another that matches", "[plugins][fcrdns]") {
  const bool near = GENERATE(false, true);
  Harness h;
  fill(h);
  h.dns.add_ptr(v4, "sick.example");
  h.dns.add_ptr(v4, near ? "b.example" : "a.example");
  h.dns.fail("sick.example", Errc::servfail);
  h.load("fcrdns", "on_error = \"reject\"");
  CHECK(test::arrive(h).code == 220);
  CHECK(h.end() == "");
}

TEST_CASE("fcrdns: of many names ten are looked at", "[plugins][fcrdns]") {
  const int match = GENERATE(10, 11);
  Harness h;
  fill(h);
  for (int i = 1; i <= 11; ++i) {
    const std::string name = fmt::format("n{}.example", i);
    h.dns.add_ptr(v4, name);
    h.dns.add_a(name, i == match ? v4 : "198.51.100.1");
  }
  h.load("fcrdns");
  CHECK(test::arrive(h).code == (match == 10 ? 220 : 554));
  CHECK(h.dns.asked("n11.example") == 0);
  CHECK(h.end() == "");
}

TEST_CASE("fcrdns: names that no host on the Internet has prove nothing", "[plugins][fcrdns]") {
  const std::string name = GENERATE("localhost", "mail");
  CAPTURE(name);
  Harness h;
  h.dns.add_ptr(v4, name);
  h.dns.add_a(name, v4);
  h.load("fcrdns");
  CHECK(test::arrive(h).code == 554);
  CHECK(h.end() == "");
}

TEST_CASE("fcrdns: two clients do not share their names", "[plugins][fcrdns]") {
  Harness h;
  fill(h);
  h.dns.add_ptr(v4, "a.example");
  h.load("fcrdns", "enforce_at = \"rcpt\"");
  CHECK(test::whole_dialogue(h).code == 250);
  test::Letter letter;
  letter.client = "203.0.113.9";
  CHECK(test::whole_dialogue(h, letter).code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("fcrdns: vouches for who is confirmed, and spares whom we relay for",
          "[plugins][fcrdns]") {
  Harness h;
  fill(h);
  h.dns.add_ptr(v4, "a.example");
  h.load("relay", "clients = [\"203.0.113.0/24\"]");
  h.load("fcrdns");
  h.load("badrcptto", "list = [\"@example.net\"]\nexempt = { passed = [\"fcrdns\"] }");
  CHECK(test::whole_dialogue(h).code == 250);
  test::Letter letter;
  letter.client = "203.0.113.9";  // let in without a name, and not vouched for
  CHECK(in_one_line(test::whole_dialogue(h, letter)).substr(0, 8) == "rcpt 550");
  CHECK(h.end() == "");
}
