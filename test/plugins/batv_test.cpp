// batv: marks on our senders, and what comes back with or without one.
#include <postern/base/text.hpp>

#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using testing::Harness;

namespace {

constexpr const char* keys =
    "secrets = [\"the secret of today\", \"the secret of last year\"]\n"
    "domains = [\"example.net\"]\nskip = [\"member@example.net\"]\n";

void load(Harness& h, const std::string& more = "") {
  h.load("relay", "clients = [\"192.0.2.9\"]");
  h.load("batv", keys + more);
}

// The reverse-path with which mail of `sender` leaves: "prvs=…=anna@example.net".
std::string sent_as(Harness& h, const std::string& sender,
                    const std::string& client = "192.0.2.9") {
  test::Letter letter;
  letter.client = client;
  letter.from = sender;
  letter.to = "x@example.net";
  CHECK(test::whole_dialogue(h, letter).code == 250);
  const std::string path = h.downstream.ledger().back().reverse_path;
  return path.substr(1, path.find('>') - 1);
}

std::string bounce(Harness& h, const std::string& to) {
  test::Letter letter;
  letter.from = "";
  letter.to = to;
  return in_one_line(test::whole_dialogue(h, letter));
}

}  // namespace

TEST_CASE("batv: what leaves with a mark comes back to who sent it", "[plugins][batv]") {
  Harness h;
  load(h);
  const std::string marked = sent_as(h, "Anna@example.net");
  CHECK(marked.size() == std::string("prvs=0DDDSSSSSS=Anna@example.net").size());
  CHECK(marked.substr(0, 6) == "prvs=0");
  CHECK(marked.substr(15) == "=Anna@example.net");
  CHECK(bounce(h, marked).substr(0, 11) == "nowhere 250");
  CHECK(h.downstream.ledger().back().forward_paths ==
        std::vector<std::string>{"<Anna@example.net>"});
  CHECK(bounce(h, lower(marked)).substr(0, 11) == "nowhere 250");
  CHECK(h.end() == "");
}

TEST_CASE("batv: marks no others", "[plugins][batv]") {
  struct Row {
    const char* why;
    const char* sender;
    const char* client;
  };
  const auto row = GENERATE(values<Row>({
      {"a client we do not relay for", "anna@example.net", "192.0.2.1"},
      {"another domain", "anna@b.example", "192.0.2.9"},
      {"one that is skipped", "member@example.net", "192.0.2.9"},
      {"one with quotes", "\"a b\"@example.net", "192.0.2.9"},
      {"one that has a mark", "prvs=0123abcdef=anna@example.net", "192.0.2.9"},
      {"one too long for it", "a123456789a123456789a123456789a123456789a123456789@example.net",
       "192.0.2.9"},
      {"a bounce", "", "192.0.2.9"},
  }));
  CAPTURE(row.why);
  Harness h;
  load(h, "require = false");
  CHECK(sent_as(h, row.sender, row.client) == row.sender);
  CHECK(h.end() == "");
}

TEST_CASE("batv: refuses bounces without a mark, and with a false one", "[plugins][batv]") {
  Harness h;
  load(h);
  h.recipients.add_domain("b.example");
  const std::string marked = sent_as(h, "anna@example.net");
  struct Row {
    const char* why;
    std::string to;
    const char* heard;
  };
  std::string other_hash = marked;
  other_hash[9] = other_hash[9] == 'a' ? 'b' : 'a';
  std::string other_day = marked;
  other_day[8] = other_day[8] == '1' ? '2' : '1';
  const Row rows[] = {
      {"none", "anna@example.net", "rcpt 550 5.7.1 What bounces to anna@example.net"},
      {"one with another hash", other_hash, "rcpt 550 5.7.1 prvs="},
      {"one with another day", other_day, "rcpt 550 5.7.1 prvs="},
      {"somebody else's", marked.substr(0, 16) + "bert@example.net", "rcpt 550 5.7.1 prvs="},
      {"one cut short", "prvs=01=anna@example.net", "rcpt 550 5.7.1 prvs="},
      {"one without an address", "prvs=0123abcdef=@example.net", "rcpt 550 5.7.1 prvs="},
      {"letters for a day", "prvs=0abcabcdef=anna@example.net", "rcpt 550 5.7.1 prvs="},
      {"none, to one that is skipped", "member@example.net", "nowhere 250"},
      {"none, to another domain", "anna@b.example", "nowhere 250"},
      {"none, to the postmaster", "postmaster@example.net", "nowhere 250"},
  };
  for (const Row& row : rows) {
    const std::string said = bounce(h, row.to);
    CAPTURE(row.why, said);
    CHECK(said.substr(0, std::string(row.heard).size()) == row.heard);
  }
  CHECK(test::whole_dialogue(h, "anna@example.net").code == 250);  // no bounce
  CHECK(h.end() == "");
}

TEST_CASE("batv: a mark is good for seven days, also past the last day of a thousand",
          "[plugins][batv]") {
  const int start = GENERATE(0, 540);  // days; from 2026 on, 20454 is the first
  const int days = GENERATE(0, 7, 8, 400);
  CAPTURE(start, days);
  Harness h;
  load(h);
  h.lineup();
  h.run_for(start * 24h);
  const std::string marked = sent_as(h, "anna@example.net");
  h.client.close();
  h.run_for(days * 24h);
  CHECK(bounce(h, marked).substr(0, 14) == (days <= 7 ? "nowhere 250 2." : "rcpt 550 5.7.1"));
  CHECK(h.end() == "");
}

TEST_CASE("batv: knows what the secret before has marked", "[plugins][batv]") {
  std::string marked;
  {
    Harness h;
    h.load("relay", "clients = [\"192.0.2.9\"]");
    h.load("batv", "secrets = [\"the secret of last year\"]\ndomains = [\"example.net\"]");
    marked = sent_as(h, "anna@example.net");
    CHECK(h.end() == "");
  }
  Harness h;
  load(h);
  CHECK(bounce(h, marked).substr(0, 11) == "nowhere 250");
  CHECK(sent_as(h, "anna@example.net") != marked);
  CHECK(h.end() == "");
}

TEST_CASE("batv: a marked sender is ours, whoever lists recipients", "[plugins][batv]") {
  Harness h;
  load(h, "");
  h.load("rcpt_ok", "recipients = [\"x@example.net\"]");
  const std::string marked = sent_as(h, "anna@example.net");
  CHECK(bounce(h, marked).substr(0, 11) == "nowhere 250");
  CHECK(h.end() == "");
}

TEST_CASE("batv: a short secret is none", "[plugins][batv]") {
  Harness h;
  h.load("batv", "secrets = [\"short\"]\ndomains = [\"example.net\"]");
  REQUIRE(h.problems().size() == 1);
  CHECK(test::contains(h.problems()[0], "a secret has at least 16 octets"));
}
