// rcpt_ok: take the recipients that are ours, and be no open relay.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

namespace {

constexpr const char* settings =
    "domains = [\"ours.example\", \".sub.example\"]\n"
    "recipients_file = \"recipients\"";

void load(Harness& h) {
  h.list("recipients", "anna@listed.example\nberta@listed.example\n@whole.example\n");
  h.load("rcpt_ok", settings);
}

}  // namespace

TEST_CASE("rcpt_ok: takes what is ours", "[plugins][rcpt_ok]") {
  struct Row {
    const char* why;
    const char* to;
    const char* reply;
  };
  const auto row = GENERATE(values<Row>({
      {"a domain", "x@ours.example", "250 2.0.0"},
      {"in capitals", "X@OURS.Example", "250 2.0.0"},
      {"our own name", "x@mx.example.net", "250 2.0.0"},
      {"another's", "x@elsewhere.example", "550 5.7.1"},
      {"a subdomain", "x@a.ours.example", "550 5.7.1"},
      {"a longer name", "x@notours.example", "550 5.7.1"},
      {"a longer name behind", "x@ours.example.org", "550 5.7.1"},
      {"all subdomains", "x@a.b.sub.example", "250 2.0.0"},
      {"but not the domain itself", "x@sub.example", "550 5.7.1"},
      {"a listed address", "Anna@Listed.example", "250 2.0.0"},
      {"an unlisted one of that domain", "nobody@listed.example", "550 5.1.1"},
      {"its postmaster", "postmaster@listed.example", "250 2.0.0"},
      {"its abuse desk", "abuse@listed.example", "250 2.0.0"},
      {"a listed domain", "x@whole.example", "250 2.0.0"},
      {"another's postmaster", "postmaster@elsewhere.example", "550 5.7.1"},
      {"the postmaster of no domain", "PostMaster", "250 2.0.0"},
  }));
  CAPTURE(row.why, row.to);
  Harness h;
  load(h);
  test::arrive(h);
  CHECK(in_one_line(h.client.recipient(row.to)).substr(0, 9) == row.reply);
  CHECK(h.end() == "");
}

TEST_CASE("rcpt_ok: opens no relay, however the address is written",
          "[plugins][rcpt_ok][relay][line:45]") {
  struct Row {
    const char* why;
    const char* path;  // as RCPT has it
    int code;          // 0: refused with any 5yz
  };
  const auto row = GENERATE(values<Row>({
      {"plain", "<x@elsewhere.example>", 0},
      {"the percent hack elsewhere", "<x%ours.example@elsewhere.example>", 0},
      {"a bang path elsewhere", "<ours.example!x@elsewhere.example>", 0},
      {"a bang path alone", "<elsewhere.example!x>", 0},
      {"a quoted bang path alone", "<\"elsewhere.example!x\">", 0},
      {"a quoted @ alone", "<\"x@elsewhere.example\">", 0},
      {"two domains", "<x@elsewhere.example@ours.example>", 0},
      {"two domains the other way", "<x@ours.example@elsewhere.example>", 0},
      {"a source route through us", "<@ours.example:x@elsewhere.example>", 0},
      {"a long source route", "<@ours.example,@sub.example:x@elsewhere.example>", 0},
      {"a source route without brackets", "@ours.example:x@elsewhere.example", 0},
      {"no domain", "<x>", 0},
      {"an empty domain", "<x@>", 0},
      {"an address literal", "<x@[192.0.2.25]>", 0},
      {"a bare address", "<x@192.0.2.25>", 0},
      {"localhost", "<x@localhost>", 0},
      {"a dot behind", "<x@elsewhere.example.>", 0},
      {"a blank behind ours", "<x@ours.example elsewhere.example>", 0},
      {"a comment", "<x@elsewhere.example(ours.example)>", 0},
      {"the null path", "<>", 0},
      {"NUL behind ours", "<x@ours.example\\0.elsewhere.example>", 0},
      {"a route that ends with us", "<@elsewhere.example:x@ours.example>", 250},
  }));
  CAPTURE(row.why, row.path);
  Harness h;
  load(h);
  test::arrive(h);
  CHECK(h.client.command("EHLO client.example").code == 250);
  CHECK(h.client.command("MAIL FROM:<a@ours.example>").code == 250);
  const auto reply = h.client.command("RCPT TO:" + std::string(row.path));
  CAPTURE(reply.text());
  if (row.code == 0)
    CHECK(reply.code / 100 == 5);
  else
    CHECK(reply.code == row.code);
  CHECK(h.end() == "");
}

TEST_CASE("rcpt_ok: a route that ends with us is handed over without its hops",
          "[plugins][rcpt_ok][relay]") {
  Harness h;
  load(h);
  test::arrive(h);
  CHECK(h.client.recipient("@elsewhere.example:x@ours.example").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(test::delivered_to(h.downstream) == "<x@ours.example> ");
  CHECK(h.end() == "");
}

// What an old downstream would take for another address is still a local-part of ours: it is handed
// over as it was said, and badrcptto refuses it.
TEST_CASE("rcpt_ok: with badrcptto behind it, no other address hides in a local-part",
          "[plugins][rcpt_ok][relay]") {
  const std::string to =
      GENERATE("x%elsewhere.example@ours.example", "elsewhere.example!x@ours.example",
               "\"x@elsewhere.example\"@ours.example", "\"x%elsewhere.example\"@ours.example");
  CAPTURE(to);
  Harness h;
  load(h);
  h.load("badrcptto", "list = ['%  No percent hack', '!  No bang path', '@.*@  No second domain']");
  test::arrive(h);
  CHECK(in_one_line(h.client.recipient(to)).substr(0, 12) == "550 5.1.1 No");
  CHECK(h.end() == "");
}

TEST_CASE("rcpt_ok: a forged sender that is exempt from all else opens no relay",
          "[plugins][rcpt_ok][relay]") {
  Harness h;
  h.dns.add_a("1.2.0.192.bl.example", "127.0.0.2");
  load(h);
  h.load("dnsbl",
         "zones = [\"bl.example\"]\nexempt = { senders = [\"friend@b.example\"], relay = true }");
  h.load("badmailfrom", "list = [\"@b.example\"]\nexempt = { senders = [\"friend@b.example\"] }");
  test::arrive(h);
  CHECK(h.client.recipient("x@ours.example", "friend@b.example").code == 250);
  CHECK(in_one_line(h.client.recipient("x@elsewhere.example")).substr(0, 9) == "550 5.7.1");
  CHECK(h.end() == "");
  CHECK(test::contains(test::all_records(h), "\"effect\":\"exempt\""));
}

TEST_CASE("rcpt_ok: the record tells who said that an unknown recipient's domain is ours",
          "[plugins][rcpt_ok]") {
  Harness h;
  h.load("rcpt_ok", "recipients = [\"anna@listed.example\"]");
  test::arrive(h);
  CHECK(h.client.recipient("bert@listed.example").code == 550);
  h.client.close();
  CHECK(h.end() == "");
  const std::string records = test::all_records(h);
  CHECK(test::contains(records, R"("by":"core:unknown")"));
  CHECK(test::contains(
      records,
      R"({"plugin":"rcpt_ok","hook":"rcpt","recipient":1,"verdict":"next","effect":"claimed"})"));
}
