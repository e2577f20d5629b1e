// headers: refuse messages whose header section breaks RFC 5322 section 3.6.
#include <fmt/format.h>

#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("headers: refuses header sections that break the rules", "[plugins][headers]") {
  struct Row {
    const char* why;
    const char* keys;
    const char* content;
    const char* text;  // empty: taken
  };
  const auto row = GENERATE(values<Row>({
      {"in order", "", "From: a@b.example\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n\r\nb\r\n",
       ""},
      {"no body", "", "From: a@b.example\r\n\r\n", ""},
      {"no date, which banks omit", "", "From: a@b.example\r\n\r\nb\r\n", ""},
      {"nothing at all", "", "", "You must send some content first"},
      {"no header section", "", "\r\nbody\r\n", "Header fields are missing"},
      {"no From", "", "Subject: s\r\n\r\nb\r\n", "We require a valid From field"},
      {"an empty From", "", "From:  \r\nSubject: s\r\n\r\nb\r\n", "We require a valid From field"},
      {"From in the body", "", "Subject: s\r\n\r\nFrom: a@b.example\r\n",
       "We require a valid From field"},
      {"no Date though required", "require = [\"From\", \"Date\"]",
       "From: a@b.example\r\n\r\nb\r\n", "We require a valid Date field"},
      {"nothing is required", "require = []", "Subject: s\r\n\r\nb\r\n", ""},
      {"names in any case", "require = [\"from\"]", "FROM: a@b.example\r\n\r\nb\r\n", ""},
      {"other fields may come twice", "",
       "From: a@b.example\r\nReceived: x\r\nReceived: y\r\nComments: 1\r\nComments: 2\r\n\r\nb\r\n",
       ""},
      {"too old", "past = \"2d\"",
       "From: a@b.example\r\nDate: Mon, 29 Dec 2025 23:59:59 +0000\r\n\r\nb\r\n",
       "The Date field is too far in the past"},
      {"just not too old", "past = \"2d\"",
       "From: a@b.example\r\nDate: Tue, 30 Dec 2025 00:00:10 +0000\r\n\r\nb\r\n", ""},
      {"too far ahead", "future = \"1d\"",
       "From: a@b.example\r\nDate: Fri, 02 Jan 2026 00:05:00 +0000\r\n\r\nb\r\n",
       "The Date field is too far in the future"},
      {"just not too far ahead", "future = \"1d\"",
       "From: a@b.example\r\nDate: Thu, 01 Jan 2026 23:59:00 +0000\r\n\r\nb\r\n", ""},
      {"its zone counts", "future = \"1d\"",
       "From: a@b.example\r\nDate: Fri, 02 Jan 2026 01:59:00 +0200\r\n\r\nb\r\n", ""},
      {"as old as it likes", "",
       "From: a@b.example\r\nDate: 1 Jan 1980 00:00:00 +0000\r\n\r\nb\r\n", ""},
      {"a date that cannot be read", "past = \"2d\"\nfuture = \"2d\"",
       "From: a@b.example\r\nDate: yesterday\r\n\r\nb\r\n", ""},
  }));
  CAPTURE(row.why, row.keys);
  Harness h;
  h.load("headers", row.keys);
  test::Letter letter;
  letter.content = row.content;
  const test::Heard heard = test::whole_dialogue(h, letter);
  if (*row.text)
    CHECK(in_one_line(heard) == fmt::format("message 550 5.6.0 {}", row.text));
  else
    CHECK(in_one_line(heard).substr(0, 11) == "nowhere 250");
  CHECK(h.downstream.promised() == (*row.text ? 0 : 1));
  CHECK(h.end() == "");
}

TEST_CASE("headers: what may come once only", "[plugins][headers]") {
  const std::string name = GENERATE("Date", "From", "Sender", "Reply-To", "To", "Cc", "Bcc",
                                    "Message-Id", "In-Reply-To", "References", "Subject");
  CAPTURE(name);
  Harness h;
  h.load("headers");
  test::Letter letter;
  const std::string lower_case = name == "Message-Id" ? "message-id" : name;
  letter.content = fmt::format("{}: 1 Jan 2026 00:00:00 +0000\r\n{}From: a@b.example\r\n\r\nb\r\n",
                               name, fmt::format("{}: x\r\n", lower_case));
  if (name == "From") letter.content = "From: a@b.example\r\nFrom: c@b.example\r\n\r\nb\r\n";
  CHECK(in_one_line(test::whole_dialogue(h, letter)) ==
        fmt::format("message 550 5.6.0 Only one {} field is allowed (RFC 5322 section 3.6)", name));
  letter.content = fmt::format("{}: 1 Jan 2026 00:00:00 +0000\r\n{}\r\nb\r\n", name,
                               name == "From" ? "" : "From: a@b.example\r\n");
  CHECK(test::whole_dialogue(h, letter).code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("headers: only observed, it refuses nothing and says what it would have",
          "[plugins][headers]") {
  Harness h;
  h.load("headers", "mode = \"observe\"");
  CHECK(test::whole_dialogue(h).code == 250);
  CHECK(h.end() == "");
  CHECK(test::contains(test::all_records(h), "We require a valid From field"));
  CHECK(test::contains(test::all_records(h), "\"effect\":\"would have refused\""));
}

TEST_CASE("headers: a domain may want more than others", "[plugins][headers]") {
  Harness h;
  h.recipients.add_domain("strict.example");
  h.load("headers");
  h.domain("strict.example", "[plugin.headers]\nrequire = [\"From\", \"Date\"]\n");
  test::arrive(h);
  const char* content = "From: a@b.example\r\n\r\nb\r\n";
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.client.message(content).code == 250);
  CHECK(h.client.recipient("x@strict.example").code == 250);
  CHECK(in_one_line(h.client.message(content)) == "550 5.6.0 We require a valid Date field");
  CHECK(h.end() == "");
}
