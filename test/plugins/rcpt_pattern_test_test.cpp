// rcpt_pattern_test: recipients that look invented.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

namespace {

constexpr const char* six_rules =
    "[0-9]@        DENY  Localparts never end in digits\n"
    ",             DENY  Localparts never contain a comma\n"
    "|             DENY  Localparts never contain PIPES.\n"
    "^([^a-zA-Z])  DENY  Localparts start with a-z/A-Z\n"
    "\"             DENY  Quotes are never used in accounts on this system\n"
    "'             DENY  Quotes are never used in accounts on this system\n";

}  // namespace

TEST_CASE("rcpt_pattern_test: six rules that stopped 18,500 messages in a day",
          "[plugins][rcpt_pattern_test]") {
  struct Row {
    const char* to;
    const char* text;  // empty: it is let in
  };
  const auto row = GENERATE(values<Row>({
      {"anna@example.net", ""},
      {"Anna.B-c_d+e@example.net", ""},
      {"a1b@example.net", ""},
      {"anna7@example.net", "Localparts never end in digits"},
      {"\"anna7\"@example.net", "Localparts never end in digits"},
      {"\"a,b\"@example.net", "Localparts never contain a comma"},
      {"a|b@example.net", "Localparts never contain PIPES."},
      {"_anna@example.net", "Localparts start with a-z/A-Z"},
      {"\"anna\"@example.net", "Localparts start with a-z/A-Z"},
      {"\"a\\\"b\"@example.net", "Quotes are never used in accounts on this system"},
      {"o'brien@example.net", "Quotes are never used in accounts on this system"},
  }));
  CAPTURE(row.to);
  Harness h;
  h.list("rules", six_rules);
  h.load("rcpt_pattern_test", "rules_file = \"rules\"");
  test::arrive(h);
  const auto said = h.client.recipient(row.to);
  if (*row.text)
    CHECK(in_one_line(said) == std::string("550 5.1.1 ") + row.text);
  else
    CHECK(said.code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("rcpt_pattern_test: each word of a verdict", "[plugins][rcpt_pattern_test]") {
  struct Row {
    const char* word;
    const char* heard;
    bool open;  // afterwards
  };
  const auto row = GENERATE(values<Row>({
      {"DENY No", "550 5.1.1 No", true},
      {"deny   two  words ", "550 5.1.1 two  words", true},
      {"DENY", "550 5.1.1 Mail to this address is not accepted here", true},
      {"DENYSOFT Later", "450 4.1.1 Later", true},
      {"DENY_DISCONNECT No", "550 5.1.1 No", false},
      {"DENYHARD No", "550 5.1.1 No", false},
      {"DENYSOFT_DISCONNECT Later", "450 4.1.1 Later", false},
      {"DECLINED", "250 2.0.0", true},
  }));
  CAPTURE(row.word);
  Harness h;
  h.load("rcpt_pattern_test",
         fmt::format("rules = [\"^a {}\", \"^ DENY Another rule\"]", row.word));
  test::arrive(h);
  const std::string said = in_one_line(h.client.recipient("anna@example.net"));
  CHECK(said.substr(0, std::string(row.heard).size()) == row.heard);
  if (row.open) CHECK(h.client.command("NOOP").code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("rcpt_pattern_test: what is no verdict is told", "[plugins][rcpt_pattern_test]") {
  const std::string word = GENERATE("", "OK", "REJECT no", "DENYING");
  CAPTURE(word);
  SECTION("in the configuration it is a mistake") {
    Harness h;
    h.load("rcpt_pattern_test", fmt::format("rules = [\"^a {}\"]", word));
    const auto problems = h.problems();
    REQUIRE(problems.size() == 1);
    CHECK(test::contains(problems[0], "'^a' has no verdict"));
  }
  SECTION("in a file the line is passed over, and the next is not") {
    Harness h;
    h.list("rules", fmt::format("^a {}\n^an DENY Next\n", word));
    h.load("rcpt_pattern_test", "rules_file = \"rules\"");
    test::arrive(h);
    CHECK(in_one_line(h.client.recipient("anna@example.net")) == "550 5.1.1 Next");
    CHECK(h.end() == "");
    CHECK(test::contains(h.log.lines.at(0), "'^a' has no verdict"));
  }
}

TEST_CASE("rcpt_pattern_test: a domain has its own rules, the postmaster none",
          "[plugins][rcpt_pattern_test]") {
  Harness h;
  h.recipients.add_domain("free.example");
  h.load("rcpt_pattern_test", "rules = ['[0-9]@ DENY no', '^post DENY no']");
  h.domain("free.example", "[plugin.rcpt_pattern_test]\nrules = []\n");
  test::arrive(h);
  CHECK(h.client.recipient("a7@example.net").code == 550);
  CHECK(h.client.recipient("a7@free.example").code == 250);
  CHECK(h.client.recipient("postmaster@example.net").code == 250);
  CHECK(h.end() == "");
}
