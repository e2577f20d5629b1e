// resolvable_fromhost: senders to whose domain nobody could answer.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using testing::Harness;

namespace {

void fill(Harness& h) {
  h.dns.add_mx("good.example", 10, "mx.good.example");
  h.dns.add_a("mx.good.example", "198.51.100.1");
  h.dns.add_mx("six.example", 10, "mx.six.example");
  h.dns.add_aaaa("mx.six.example", "2001:db8::25");
  h.dns.add_a("address.example", "198.51.100.2");
  h.dns.add_mx("second.example", 10, "gone.example");
  h.dns.add_mx("second.example", 20, "mx.good.example");
  h.dns.add_mx("later.example", 10, "two.later.example");
  h.dns.add_a("two.later.example", "127.0.0.1");
  h.dns.add_a("two.later.example", "198.51.100.3");
  h.dns.add_mx("null.example", 0, ".");
  h.dns.add_mx("nullish.example", 0, ".");
  h.dns.add_mx("nullish.example", 10, "mx.good.example");
  h.dns.add_mx("loop.example", 10, "localhost.example");
  h.dns.add_a("localhost.example", "127.0.0.1");
  h.dns.add_aaaa("localhost.example", "::1");
  h.dns.add_mx("missing.example", 10, "gone.example");
  h.dns.add_empty("empty.example");
  h.dns.add_mx("private.example", 10, "host.private.example");
  h.dns.add_a("host.private.example", "10.0.0.1");
}

constexpr const char* no_server = "rcpt 550 5.1.8 Your domain has no mail server";
constexpr const char* unreachable =
    "rcpt 550 5.1.8 The mail servers of your domain cannot be reached";

}  // namespace

TEST_CASE("resolvable_fromhost: what a sender's domain must have",
          "[plugins][resolvable_fromhost][line:31]") {
  struct Row {
    const char* why;
    const char* from;
    const char* heard;  // empty: it is let in
  };
  const auto row = GENERATE(values<Row>({
      {"a mail host", "a@good.example", ""},
      {"in capitals", "a@GOOD.example", ""},
      {"one with an IPv6 address", "a@six.example", ""},
      {"no MX, but an address", "a@address.example", ""},
      {"the second mail host", "a@second.example", ""},
      {"the second address of its host", "a@later.example", ""},
      {"a null MX", "a@null.example", "rcpt 550 5.7.27 Your domain says that it takes no mail"},
      {"a null MX that is not alone", "a@nullish.example", ""},
      {"no such domain", "a@gone.example", "rcpt 550 5.1.8 Your domain does not exist"},
      {"a mail host that is nobody's but everybody's", "a@loop.example", unreachable},
      {"a mail host without address", "a@missing.example", no_server},
      {"a domain without anything", "a@empty.example", no_server},
      {"a network that is not listed as invalid", "a@private.example", ""},
      {"a bounce", "", ""},
      {"an address literal", "a@[198.51.100.9]", ""},
  }));
  CAPTURE(row.why, row.from);
  Harness h;
  fill(h);
  h.load("resolvable_fromhost");
  test::Letter letter;
  letter.from = row.from;
  const test::Heard heard = test::whole_dialogue(h, letter);
  if (*row.heard)
    CHECK(in_one_line(heard) == row.heard);
  else
    CHECK(heard.code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("resolvable_fromhost: networks that do not count, for each domain its own",
          "[plugins][resolvable_fromhost]") {
  Harness h;
  fill(h);
  h.recipients.add_domain("strict.example");
  h.load("resolvable_fromhost");
  h.domain("strict.example", "[plugin.resolvable_fromhost]\ninvalid = [\"10.0.0.0/8\"]\n");
  test::Letter letter;
  letter.from = "a@private.example";
  CHECK(test::whole_dialogue(h, letter).code == 250);
  letter.to = "x@strict.example";
  CHECK(in_one_line(test::whole_dialogue(h, letter)) == unreachable);
  CHECK(h.end() == "");
}

TEST_CASE("resolvable_fromhost: a DNS that fails is not a domain that is gone",
          "[plugins][resolvable_fromhost]") {
  struct Row {
    const char* why;
    const char* broken;
    bool silent;
    const char* from;
    int code;
  };
  const auto row = GENERATE(values<Row>({
      {"no answer about the domain", "good.example", true, "a@good.example", 450},
      {"its servers fail", "good.example", false, "a@good.example", 450},
      {"no answer about its host", "mx.good.example", true, "a@good.example", 450},
      {"its host's servers fail", "mx.good.example", false, "a@good.example", 450},
      {"one host fails, another is good", "gone.example", false, "a@second.example", 250},
      {"one host fails, the other is gone", "mx.good.example", false, "a@second.example", 450},
  }));
  CAPTURE(row.why);
  Harness h;
  fill(h);
  if (row.silent)
    h.dns.silence(row.broken);
  else
    h.dns.fail(row.broken, Errc::servfail);
  h.load("resolvable_fromhost");
  test::Letter letter;
  letter.from = row.from;
  CHECK(test::whole_dialogue(h, letter).code == row.code);
  CHECK(h.sim.elapsed() <= 16s);
  CHECK(h.end() == "");
}

TEST_CASE("resolvable_fromhost: asks about ten mail hosts and no more",
          "[plugins][resolvable_fromhost]") {
  Harness h;
  for (std::uint16_t i = 1; i <= 12; ++i)
    h.dns.add_mx("many.example", i, fmt::format("mx{}.many.example", i));
  h.dns.add_a("mx11.many.example", "198.51.100.1");
  h.load("resolvable_fromhost");
  test::Letter letter;
  letter.from = "a@many.example";
  CHECK(test::whole_dialogue(h, letter).code == 550);
  CHECK(h.dns.asked("mx10.many.example") == 2);
  CHECK(h.dns.asked("mx11.many.example") == 0);
  CHECK(h.end() == "");
}

TEST_CASE("resolvable_fromhost: stops asking when the client goes",
          "[plugins][resolvable_fromhost]") {
  Harness h;
  h.dns.silence("b.example");
  h.load("resolvable_fromhost");
  test::arrive(h);
  CHECK(h.client.command("EHLO c.example").code == 250);
  CHECK(h.client.command("MAIL FROM:<a@b.example>").code == 250);
  h.client.close();
  h.run_until_idle();
  CHECK(h.dns.cancelled("b.example"));
  CHECK(h.sim.elapsed() < 1s);
  CHECK(h.end() == "");
}
