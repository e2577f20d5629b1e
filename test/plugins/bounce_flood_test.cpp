// bounce_flood: an address that gets very many bounces gets no more for a while.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using test::Letter;
using testing::Harness;

namespace {

std::string send(Harness& h, const Letter& letter) {
  const std::string heard = in_one_line(test::whole_dialogue(h, letter));
  h.client.close();
  h.run_for(1s);
  return heard.starts_with("nowhere 250") ? "taken" : heard;
}

Letter bounce(const std::string& to = "x@example.net") {
  Letter letter;
  letter.from = "";
  letter.to = to;
  return letter;
}

constexpr const char* too_many = "rcpt 450 4.7.1 Too many bounces for x@example.net";

}  // namespace

TEST_CASE("bounce_flood: 20 bounces in ten minutes to one address block it",
          "[plugins][bounce_flood]") {
  Harness h;
  h.load("bounce_flood");
  for (int i = 0; i < 20; ++i) REQUIRE(send(h, bounce()) == "taken");
  CHECK(send(h, bounce("X@Example.net")) == too_many);
  CHECK(send(h, bounce("y@example.net")) == "taken");
  CHECK(send(h, Letter{}) == "taken");
  h.run_for(59min);
  CHECK(send(h, bounce()) == too_many);
  h.run_for(2min);
  for (int i = 0; i < 20; ++i) REQUIRE(send(h, bounce()) == "taken");  // counted anew
  CHECK(send(h, bounce()) == too_many);
  CHECK(h.end() == "");
}

TEST_CASE("bounce_flood: bounces now and then block nothing", "[plugins][bounce_flood]") {
  Harness h;
  h.load("bounce_flood", "count = 3");
  for (int i = 0; i < 12; ++i) {
    CHECK(send(h, bounce()) == "taken");
    h.run_for(6min);
  }
  CHECK(h.end() == "");
}

TEST_CASE("bounce_flood: who only asks whether an address exists sends no bounce",
          "[plugins][bounce_flood]") {
  Harness h;
  h.load("bounce_flood", "count = 2");
  for (int i = 0; i < 5; ++i) {
    h.client.connect();
    REQUIRE(h.client.greeting().code == 220);
    CHECK(h.client.recipient("x@example.net", "").code == 250);
    h.client.close();
    h.run_for(1s);
  }
  CHECK(h.store.updates() == 0);
  CHECK(h.end() == "");
}

TEST_CASE("bounce_flood: what is a bounce", "[plugins][bounce_flood]") {
  struct Row {
    const char* why;
    const char* from;
    const char* field;
    const char* keys;
    bool is_bounce;
    bool by_sender;
  };
  const auto row = GENERATE(values<Row>({
      {"the null sender", "", "", "", true, true},
      {"a mailer daemon", "MAILER-DAEMON@b.example", "", "", true, true},
      {"a postmaster", "postmaster@b.example", "", "", true, true},
      {"anybody", "a@b.example", "", "", false, false},
      {"an automatic answer", "a@b.example", "Auto-Submitted: auto-replied\r\n", "", true, false},
      {"no automatic answer", "a@b.example", "Auto-Submitted: no\r\n", "", false, false},
      {"a report", "a@b.example", "Content-Type: multipart/report; report-type=delivery-status\r\n",
       "", true, false},
      {"a report, unless told", "a@b.example", "Content-Type: multipart/report\r\n",
       "automatic = false\n", false, false},
  }));
  CAPTURE(row.why);
  Harness h;
  h.load("bounce_flood", std::string(row.keys) + "count = 2");
  Letter letter;
  letter.from = row.from;
  letter.content = std::string(row.field) + "Subject: s\r\n\r\nb\r\n";
  CHECK(send(h, letter) == "taken");
  CHECK(send(h, letter) == "taken");
  CHECK(send(h, letter) == (!row.is_bounce ? "taken"
                            : row.by_sender
                                ? too_many
                                : "message 451 4.7.1 Too many bounces for x@example.net"));
  CHECK(h.end() == "");
}

TEST_CASE("bounce_flood: all mail may be refused, and for good", "[plugins][bounce_flood]") {
  Harness h;
  h.load(
      "bounce_flood",
      "count = 2\nblock = \"all\"\npermanent = true\nexempt = { senders = [\"@friend.example\"] }");
  for (int i = 0; i < 2; ++i) CHECK(send(h, bounce()) == "taken");
  CHECK(send(h, Letter{}) == "rcpt 550 5.7.1 Too many bounces for x@example.net");
  Letter friendly;
  friendly.from = "a@friend.example";
  CHECK(send(h, friendly) == "taken");
  CHECK(h.end() == "");
}

TEST_CASE("bounce_flood: a domain has its own numbers, and may be blocked as a whole",
          "[plugins][bounce_flood]") {
  Harness h;
  h.recipients.add_domain("other.example");
  h.load("bounce_flood", "count = 2");
  h.domain("other.example", "[plugin.bounce_flood]\ncount = 0\ncount_of_domain = 3\n");
  for (int i = 0; i < 3; ++i)
    CHECK(send(h, bounce("u" + std::to_string(i) + "@other.example")) == "taken");
  CHECK(send(h, bounce("u9@other.example")) ==
        "rcpt 450 4.7.1 Too many bounces for @other.example");
  for (int i = 0; i < 2; ++i) CHECK(send(h, bounce()) == "taken");
  CHECK(send(h, bounce()) == too_many);
  CHECK(send(h, bounce("y@example.net")) == "taken");
  CHECK(h.end() == "");
}

TEST_CASE("bounce_flood: without a store bounces are taken", "[plugins][bounce_flood]") {
  Harness h;
  h.load("bounce_flood", "count = 1");
  CHECK(send(h, bounce()) == "taken");
  h.store.fail_with(Errc::io);
  CHECK(send(h, bounce()) == "taken");
  h.store.fail_with({});
  CHECK(send(h, bounce()) == too_many);
  CHECK(h.end() == "");
}
