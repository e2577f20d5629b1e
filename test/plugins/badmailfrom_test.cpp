// badmailfrom: refuse listed reverse-paths.
#include <fmt/format.h>

#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

namespace {

constexpr const char* list =
    "bad@b.example\n"
    "reason@b.example   Not wanted\n"
    "@spam.example\n"
    "^return.*@.*\\.example\\.biz$  Bulk mail\n";

}  // namespace

TEST_CASE("badmailfrom: refuses listed senders where it is told to", "[plugins][badmailfrom]") {
  struct Row {
    const char* why;
    const char* from;
    const char* text;  // empty: it is let in
  };
  const auto row = GENERATE(values<Row>({
      {"an address", "bad@b.example", "5.7.1 This sender is not welcome here"},
      {"in capitals", "BAD@B.Example", "5.7.1 This sender is not welcome here"},
      {"with quotes", "\"bad\"@b.example", "5.7.1 This sender is not welcome here"},
      {"a reason", "reason@b.example", "5.7.1 Not wanted"},
      {"a domain", "any@spam.example", "5.7.1 This sender is not welcome here"},
      {"a pattern", "Return-7@list.Example.biz", "5.7.1 Bulk mail"},
      {"a longer address", "notbad@b.example", ""},
      {"a subdomain", "any@sub.spam.example", ""},
      {"the null reverse-path", "", ""},
  }));
  const std::string stage = GENERATE("mail", "rcpt");
  CAPTURE(row.why, row.from, stage);
  Harness h;
  h.list("badmailfrom", list);
  h.load("badmailfrom", fmt::format("file = \"badmailfrom\"\nenforce_at = \"{}\"",
                                    stage == "mail" ? "now" : stage));
  test::Letter letter;
  letter.from = row.from;
  const test::Heard heard = test::whole_dialogue(h, letter);
  if (*row.text)
    CHECK(in_one_line(heard) == fmt::format("{} 550 {}", stage, row.text));
  else
    CHECK(heard.code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("badmailfrom: who may relay is not asked for his sender", "[plugins][badmailfrom]") {
  Harness h;
  h.load("relay", "clients = [\"192.0.2.1\"]");
  h.load("badmailfrom", "list = [\"@b.example\"]");
  CHECK(test::whole_dialogue(h, "x@elsewhere.example").code == 250);
  test::Letter letter;
  letter.client = "192.0.2.2";
  CHECK(test::whole_dialogue(h, letter).code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("badmailfrom: at rcpt each recipient has his own list", "[plugins][badmailfrom]") {
  Harness h;
  h.recipients.add_domain("strict.example");
  h.load("badmailfrom", "enforce_at = \"rcpt\"");
  h.domain("strict.example", "[plugin.badmailfrom]\nlist = [\"@b.example\"]\n");
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.client.recipient("x@strict.example").code == 550);
  CHECK(h.client.recipient("y@example.net").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(test::delivered_to(h.downstream) == "<x@example.net> <y@example.net> ");
  CHECK(h.end() == "");
}

TEST_CASE("badmailfrom: a forged sender that is exempt opens no relay", "[plugins][badmailfrom]") {
  Harness h;
  h.load("rcpt_ok", "domains = [\"ours.example\"]");
  h.load("badmailfrom", "list = [\"@b.example\"]\nexempt = { senders = [\"friend@b.example\"] }\n");
  test::arrive(h);
  CHECK(h.client.recipient("x@ours.example", "friend@b.example").code == 250);
  CHECK(in_one_line(h.client.recipient("x@elsewhere.example")).substr(0, 9) == "550 5.7.1");
  CHECK(h.client.recipient("x%elsewhere.example@elsewhere.example").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("badmailfrom: a domain is refused with all below", "[plugins][badmailfrom]") {
  struct Row {
    const char* from;
    const char* text;  // empty: it is let in
  };
  const auto row = GENERATE(values<Row>({
      {"x@spam.example", "5.7.1 Mail from spam.example is not accepted here"},
      {"x@a.Spam.Example", "5.7.1 Mail from spam.example is not accepted here"},
      {"x@nospam.example", ""},
      {"spam.example@b.example", ""},
      {"", ""},
  }));
  CAPTURE(row.from);
  Harness h;
  h.list("domains", "spam.example\n");  // what is in a directory comes so
  h.load("badmailfrom", "domains_file = \"domains\"");
  test::Letter letter;
  letter.from = row.from;
  const test::Heard heard = test::whole_dialogue(h, letter);
  if (*row.text)
    CHECK(in_one_line(heard) == std::string("mail 550 ") + row.text);
  else
    CHECK(heard.code == 250);
  CHECK(h.end() == "");
}
