// rhsbl: refuses senders whose domain is listed.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("rhsbl: refuses what the lists say of a sender", "[plugins][rhsbl]") {
  struct Row {
    const char* why;
    const char* keys;
    const char* from;
    const char* helo;
    const char* text;  // empty: it is let in
  };
  const auto row = GENERATE(values<Row>({
      {"a listed domain", "zones = [\"rhs.example\"]", "a@Bad.example", "client.example",
       "Your domain bad.example is listed in rhs.example"},
      {"the list's own words", "zones = [\"words.example\"]", "a@bad.example", "client.example",
       "bad.example sells pills"},
      {"ours", "zones = [{ name = \"words.example\", text = \"{client}: {reason}\" }]",
       "a@bad.example", "client.example", "192.0.2.1: bad.example sells pills"},
      {"another domain", "zones = [\"rhs.example\"]", "a@good.example", "bad.example", ""},
      {"the null sender", "zones = [\"rhs.example\"]", "", "bad.example", ""},
      {"an address literal", "zones = [\"rhs.example\"]", "a@[192.0.2.1]", "client.example", ""},
      {"the greeting", "zones = [\"rhs.example\"]\nlook_up = [\"sender\", \"helo\"]",
       "a@good.example", "bad.example",
       "The name of your greeting, bad.example, is listed in rhs.example"},
      {"the host name", "zones = [\"rhs.example\"]\nlook_up = [\"rdns\"]", "a@good.example",
       "client.example", "Your host name mx.host.example is listed in rhs.example"},
      {"another code", "zones = [{ name = \"rhs.example\", codes = [\"127.0.1.9\"] }]",
       "a@bad.example", "client.example", ""},
      {"not enough", "zones = [\"rhs.example\"]\nthreshold = 2", "a@bad.example", "client.example",
       ""},
      {"together", "zones = [\"rhs.example\", \"words.example\"]\nthreshold = 2", "a@bad.example",
       "client.example", "Your domain bad.example is listed in rhs.example"},
  }));
  CAPTURE(row.why);
  Harness h;
  h.dns.add_a("bad.example.rhs.example", "127.0.1.2");
  h.dns.add_a("bad.example.words.example", "127.0.1.2");
  h.dns.add_txt("bad.example.words.example", "bad.example sells pills");
  h.dns.add_a("mx.host.example.rhs.example", "127.0.1.2");
  h.dns.add_ptr("192.0.2.1", "mx.host.example");
  h.dns.add_a("mx.host.example", "192.0.2.1");
  h.load("fcrdns", "require = \"nothing\"");
  h.load("rhsbl", row.keys);
  test::Letter letter;
  letter.from = row.from;
  letter.helo = row.helo;
  const test::Heard heard = test::whole_dialogue(h, letter);
  if (*row.text)
    CHECK(in_one_line(heard) == std::string("rcpt 550 5.7.1 ") + row.text);
  else
    CHECK(heard.code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("rhsbl: each recipient has his own lists", "[plugins][rhsbl]") {
  Harness h;
  h.recipients.add_domain("strict.example");
  h.dns.add_a("b.example.rhs.example", "127.0.1.2");
  h.load("rhsbl", "zones = [\"other.example\"]");
  h.domain("strict.example", "[plugin.rhsbl]\nzones = [\"rhs.example\"]\n");
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.client.recipient("x@strict.example").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("rhsbl: a silent list is on_error's case", "[plugins][rhsbl]") {
  const bool defers = GENERATE(true, false);
  Harness h;
  h.dns.silence("b.example.rhs.example");
  h.load("rhsbl",
         std::string("zones = [\"rhs.example\"]") + (defers ? "\non_error = \"defer\"" : ""));
  CHECK(test::whole_dialogue(h).code == (defers ? 450 : 250));
  CHECK(h.end() == "");
}

TEST_CASE("rhsbl: a list that lists the world is not asked any more", "[plugins][rhsbl]") {
  Harness h;
  h.dns.add_a("b.example.rhs.example", "127.0.1.2");
  h.dns.add_a("invalid.rhs.example", "127.0.1.2");
  h.load("rhsbl", "zones = [\"rhs.example\"]");
  CHECK(test::whole_dialogue(h).code == 550);
  h.tick();
  h.run_for(std::chrono::seconds(10));
  CHECK(test::whole_dialogue(h).code == 250);
  CHECK(h.end() == "");
}
