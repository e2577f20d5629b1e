// helo: refuse greetings that no honest mail server sends.
#include <fmt/format.h>

#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using testing::Harness;

namespace {

constexpr const char* first = "192.0.2.1";            // pointer: mx.good.example
constexpr const char* second = "198.51.100.1";        // no pointer
constexpr const char* third = "2001:db8:1:2:3:4::1";  // pointer: mx.good.example

void fill(Harness& h) {
  h.dns.add_ptr(first, "mx.good.example");
  h.dns.add_ptr(third, "mx.good.example");
  h.dns.add_a("mx.good.example", first);
  h.dns.add_aaaa("mx.good.example", third);
  h.dns.add_a("near.elsewhere.example", "192.0.2.99");
  h.dns.add_aaaa("near.elsewhere.example", "2001:db8:1:2:3:4:9:9");
  h.dns.add_a("far.other.example", "203.0.113.1");
  h.dns.add_aaaa("far.other.example", "2001:db8:1:2:3:5::1");
  h.dns.add_a("out.good.example", "203.0.113.2");
  h.dns.add_aaaa("six.other.example", "2001:db8::6");
  h.dns.add_empty("empty.other.example");
  h.dns.add_a("under_score.other.example", first);
}

std::string say(Harness& h, const std::string& client, const std::string& name) {
  test::arrive(h, client);
  const std::string said = in_one_line(h.client.command("EHLO " + name));
  h.client.close();
  return said.starts_with("250 ") ? "250" : said;
}

}  // namespace

TEST_CASE("helo: names by policy, from two addresses", "[plugins][helo]") {
  constexpr const char* localhost = "550 5.7.1 You are not localhost";
  constexpr const char* forged = "550 5.7.1 This is not your address";
  constexpr const char* bare =
      "550 5.7.1 An address is no host name; write it in brackets (RFC 5321 section 4.1.3)";
  constexpr const char* unqualified = "550 5.7.1 Your greeting is no fully qualified host name";
  constexpr const char* missing = "550 5.7.1 The host name of your greeting does not exist";
  constexpr const char* literal = "550 5.7.1 A host name is wanted, not an address";
  constexpr const char* astray = "550 5.7.1 The host name of your greeting does not lead to you";
  constexpr const char* nameless = "550 5.7.1 198.51.100.1 has no host name in the DNS";
  constexpr const char* ok = "250";
  struct Row {
    const char* client;
    const char* name;
    const char* lenient;
    const char* rfc;
    const char* strict;
  };
  const auto row = GENERATE_COPY(values<Row>({
      {first, "mx.good.example", ok, ok, ok},
      {first, "MX.Good.Example", ok, ok, ok},
      {first, "localhost", localhost, localhost, localhost},
      {first, "LocalHost", localhost, localhost, localhost},
      {first, "localhost.localdomain", localhost, localhost, localhost},
      {first, "[192.0.2.1]", ok, ok, literal},
      {first, "[192.0.2.2]", forged, forged, forged},
      {first, "[IPv6:2001:db8::1]", forged, forged, forged},
      {first, "192.0.2.1", bare, bare, bare},
      {first, "10.255.0.1", bare, bare, bare},
      {first, "friend", ok, unqualified, unqualified},
      {first, "gone.other.example", ok, missing, missing},
      {first, "empty.other.example", ok, missing, missing},
      {first, "six.other.example", ok, ok, astray},
      {first, "near.elsewhere.example", ok, ok, ok},
      {first, "far.other.example", ok, ok, astray},
      {first, "out.good.example", ok, ok, ok},
      {first, "under_score.other.example", ok, ok, ok},
      {second, "mx.good.example", ok, nameless, nameless},
      {second, "[198.51.100.1]", ok, ok, literal},
      {second, "[192.0.2.1]", forged, forged, forged},
      {second, "friend", ok, unqualified, unqualified},
      {third, "mx.good.example", ok, ok, ok},
      {third, "[IPv6:2001:db8:1:2:3:4:0:1]", ok, ok, literal},
      {third, "[ipv6:2001:DB8:1:2:3:4::1]", ok, ok, literal},
      {third, "[IPv6:2001:db8::2]", forged, forged, forged},
      {third, "[192.0.2.1]", forged, forged, forged},
      {third, "near.elsewhere.example", ok, ok, ok},
      {third, "far.other.example", ok, ok, astray},
      {"127.0.0.1", "localhost", ok, unqualified, unqualified},
      {"::1", "localhost", ok, unqualified, unqualified},
  }));
  const std::string policy = GENERATE("lenient", "rfc", "strict");
  CAPTURE(row.client, row.name, policy);
  Harness h;
  fill(h);
  h.load("helo", fmt::format("policy = \"{}\"", policy));
  CHECK(say(h, row.client, row.name) == (policy == "lenient" ? row.lenient
                                         : policy == "rfc"   ? row.rfc
                                                             : row.strict));
  CHECK((policy == "lenient" ? h.dns.asked() == 0 : h.dns.asked() <= 3));
  CHECK(h.end() == "");
}

TEST_CASE("helo: names that the site does not want", "[plugins][helo]") {
  struct Row {
    const char* name;
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"client.example", "250"},
      {"Bad.Example", "550 5.7.1 I do not believe that you are bad.example"},
      {"bad.example.", "550 5.7.1 I do not believe that you are bad.example"},
      {"sub.bad.example", "250"},
      {"a.world.example", "550 5.7.1 I do not believe that you are a.world.example"},
      {"ylmf-pc", "550 5.7.1 I do not believe that you are ylmf-pc"},
      {"dyn-7.Pool.example", "550 5.7.1 Use the server of your provider"},
  }));
  CAPTURE(row.name);
  const std::string dns = GENERATE("lenient", "rfc with a DNS that fails");
  Harness h;
  h.dns.fail(row.name, Errc::servfail);
  h.load("helo",
         fmt::format("bad = [\"bad.example\", \".world.example\", \"ylmf-pc\"]\n"
                     "bad_patterns = ['^dyn-\\d+\\.pool\\.  Use the server of your provider']\n"
                     "policy = \"{}\"",
                     dns.substr(0, dns.find(' '))));
  CHECK(say(h, first, row.name) == row.heard);
  CHECK(h.end() == "");
}

TEST_CASE("helo: names must fit a pattern where there is one", "[plugins][helo]") {
  Harness h;
  h.load("helo", "wanted_patterns = ['^[a-z0-9.-]+$', '^\\[']");
  CHECK(say(h, first, "Client.Example") == "250");
  CHECK(say(h, first, "[192.0.2.1]") == "250");
  CHECK(say(h, first, "under_score.example") ==
        "550 5.7.1 The name of your greeting is not allowed here");
  CHECK(h.end() == "");
}

TEST_CASE("helo: a DNS that fails says nothing against the name", "[plugins][helo]") {
  const std::string sick = GENERATE("mx.good.example", "1.2.0.192.in-addr.arpa");
  const bool silent = GENERATE(false, true);
  const std::string policy = GENERATE("rfc", "strict");
  const std::string on_error = GENERATE("", "defer");
  CAPTURE(sick, silent, policy, on_error);
  Harness h;
  fill(h);
  if (silent)
    h.dns.silence(sick);
  else
    h.dns.fail(sick, Errc::servfail);
  h.load("helo", fmt::format("policy = \"{}\"{}", policy,
                             on_error.empty() ? "" : "\non_error = \"defer\""));
  const std::string said = say(h, first, "mx.good.example");
  CHECK(said.substr(0, 3) == (on_error.empty() ? "250" : "450"));
  CHECK(h.sim.elapsed() <= 6s);
  CHECK(say(h, first, "localhost") == "550 5.7.1 You are not localhost");
  CHECK(h.end() == "");
}

TEST_CASE("helo: each greeting is judged anew", "[plugins][helo]") {
  Harness h;
  fill(h);
  h.load("helo");
  test::arrive(h);
  CHECK(h.client.command("EHLO localhost").code == 550);
  CHECK(h.client.command("MAIL FROM:<a@b.example>").code == 503);
  CHECK(h.client.command("HELO mx.good.example").code == 250);
  CHECK(h.client.command("EHLO 192.0.2.1").code == 550);
  CHECK(h.client.command("EHLO mx.good.example").code == 250);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("helo: enforced at rcpt, a domain has its own bad names", "[plugins][helo]") {
  Harness h;
  h.recipients.add_domain("strict.example");
  h.load("helo", "enforce_at = \"rcpt\"");
  h.domain("strict.example", "[plugin.helo]\nbad = [\"client.example\"]\n");
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.client.recipient("x@strict.example").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("helo: who may relay is not asked for his name", "[plugins][helo]") {
  Harness h;
  h.load("relay", "clients = [\"192.0.2.1\"]");
  h.load("helo", "policy = \"strict\"");
  CHECK(say(h, first, "WINDOWS-PC") == "250");
  CHECK(say(h, second, "WINDOWS-PC").substr(0, 3) == "550");
  CHECK(h.end() == "");
}
