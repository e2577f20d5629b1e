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
      {"below a listed domain", "zones = [\"rhs.example\"]", "a@mail.bad.example", "client.example",
       ""},
      {"the domain that is registered", "zones = [\"rhs.example\"]\norganisational = true",
       "a@mail.bad.example", "client.example", "Your domain bad.example is listed in rhs.example"},
      {"by the public suffix list", "zones = [\"rhs.example\"]\norganisational = true",
       "a@mail.bad.co.uk", "client.example", "Your domain bad.co.uk is listed in rhs.example"},
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
  h.dns.add_a("bad.co.uk.rhs.example", "127.0.1.2");
  h.dns.add_a("co.uk.rhs.example", "127.0.1.2");
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

TEST_CASE("rhsbl: the author's domain is asked about when the header is there",
          "[plugins][rhsbl]") {
  struct Row {
    const char* why;
    const char* from;
    const char* keys;
    const char* text;  // empty: it is let in
  };
  constexpr const char* listed = "The domain of the author, bad.example, is listed in rhs.example";
  const auto row = GENERATE(values<Row>({
      {"not asked for", "From: x <a@bad.example>\r\n", "", ""},
      {"a listed author", "From: \"b@good.example\" <a@Bad.Example>\r\n", "look_up = [\"from\"]",
       listed},
      {"another", "From: a@good.example\r\n", "look_up = [\"from\"]", ""},
      {"the second author", "From: a@good.example, b@bad.example\r\n", "look_up = [\"from\"]",
       listed},
      {"in a second field", "From: a@good.example\r\nFrom: b@bad.example\r\n",
       "look_up = [\"sender\", \"from\"]", listed},
      {"below it", "From: a@x.bad.example\r\n", "look_up = [\"from\"]\norganisational = true",
       listed},
      {"no author", "", "look_up = [\"from\"]", ""},
      {"no address", "From: bad.example\r\n", "look_up = [\"from\"]", ""},
  }));
  CAPTURE(row.why);
  Harness h;
  h.dns.add_a("bad.example.rhs.example", "127.0.1.2");
  h.load("rhsbl", std::string("zones = [\"rhs.example\"]\n") + row.keys);
  test::Letter letter;
  letter.content = std::string(row.from) + "Subject: s\r\n\r\nb\r\n";
  const test::Heard heard = test::whole_dialogue(h, letter);
  if (*row.text)
    CHECK(in_one_line(heard) == std::string("message 550 5.7.1 ") + row.text);
  else
    CHECK(heard.code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("rhsbl: ten authors are asked about and no more", "[plugins][rhsbl]") {
  Harness h;
  std::string from = "From: a@d0.example";
  for (int i = 1; i < 40; ++i) from += fmt::format(",\r\n a@d{}.example", i);
  h.load("rhsbl", "zones = [\"rhs.example\"]\nlook_up = [\"from\"]");
  test::Letter letter;
  letter.content = from + "\r\n\r\nb\r\n";
  CHECK(test::whole_dialogue(h, letter).code == 250);
  CHECK(h.dns.asked("d9.example.rhs.example") == 1);
  CHECK(h.dns.asked("d10.example.rhs.example") == 0);
  CHECK(h.end() == "");
}
