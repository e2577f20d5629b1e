// aliases: who stands for whom.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

namespace {

constexpr const char* table =
    "info@example.net anna@example.net, bert@b.example\n"
    "all@example.net  info@example.net,anna@example.net ,  carl@example.net\n"
    "anna@example.net anna@inner.example\n"
    "self@example.net self@example.net archive@example.net\n"
    "@whole.example   one@example.net\n"
    "^ticket-\\d+@    tickets@example.net\n"
    "own@example.net  own+fixed@b.example\n"
    "a@loop.example   b@loop.example\n"
    "b@loop.example   c@example.net, a@loop.example\n";

}  // namespace

TEST_CASE("aliases: mail goes to those that an alias stands for", "[plugins][aliases]") {
  struct Row {
    const char* why;
    const char* to;
    const char* delivered;
  };
  const auto row = GENERATE(values<Row>({
      {"no alias", "dora@example.net", "<dora@example.net> "},
      {"one", "anna@example.net", "<anna@inner.example> "},
      {"in capitals", "Anna@Example.NET", "<anna@inner.example> "},
      {"an alias of an alias", "info@example.net", "<anna@inner.example> <bert@b.example> "},
      {"each but once", "all@example.net",
       "<anna@inner.example> <bert@b.example> <carl@example.net> "},
      {"a mailbox that is also an alias", "self@example.net",
       "<self@example.net> <archive@example.net> "},
      {"a domain", "any@whole.example", "<one@example.net> "},
      {"a pattern", "ticket-7@example.net", "<tickets@example.net> "},
      {"an extension goes along", "info+shop@example.net",
       "<anna+shop@inner.example> <bert+shop@b.example> "},
      {"one that is there stays", "own+shop@example.net", "<own+fixed@b.example> "},
      {"an extension of no alias", "dora+shop@example.net", "<dora+shop@example.net> "},
  }));
  CAPTURE(row.why, row.to);
  Harness h;
  h.recipients.add_domain("whole.example");
  h.list("aliases", table);
  h.load("aliases", "file = \"aliases\"");
  CHECK(test::whole_dialogue(h, row.to).code == 250);
  CHECK(test::delivered_to(h.downstream) == row.delivered);
  CHECK(h.end() == "");
}

TEST_CASE("aliases: a circle is refused, and told", "[plugins][aliases]") {
  Harness h;
  h.recipients.add_domain("loop.example");
  h.list("aliases", table);
  h.load("aliases", "file = \"aliases\"");
  CHECK(in_one_line(test::whole_dialogue(h, "a@loop.example")) ==
        "rcpt 550 5.4.6 The aliases here go in a circle");
  CHECK(test::whole_dialogue(h, "info@example.net").code == 250);
  CHECK(h.end() == "");
  CHECK(test::contains(h.log.lines.at(0), "a@loop.example: aliases go in a circle"));
}

TEST_CASE("aliases: too many, too deep and broken ones wait for the administrator",
          "[plugins][aliases]") {
  struct Row {
    const char* why;
    std::string file;
    const char* heard;
  };
  std::string deep;
  for (int i = 0; i < 30; ++i) deep += fmt::format("x{0}@example.net x{1}@example.net\n", i, i + 1);
  const auto row = GENERATE_COPY(values<Row>({
      {"too many", "x0@example.net a@b.example b@b.example c@b.example d@b.example\n", "450 4.3.0"},
      {"as many as may be", "x0@example.net a@b.example b@b.example c@b.example\n", "250 2.0.0"},
      {"too deep", deep, "550 5.4.6"},
      {"nobody", "x0@example.net\n", "450 4.3.0"},
      {"no address", "x0@example.net anna@@b.example\n", "450 4.3.0"},
      {"a program", "x0@example.net |/bin/vacation\n", "450 4.3.0"},
  }));
  CAPTURE(row.why);
  Harness h;
  h.list("aliases", row.file);
  h.load("aliases", "file = \"aliases\"\nmost = 3");
  test::arrive(h);
  CHECK(in_one_line(h.client.recipient("x0@example.net")).substr(0, 9) == row.heard);
  CHECK(h.end() == "");
}

TEST_CASE("aliases: those alone that are listed", "[plugins][aliases]") {
  Harness h;
  h.recipients.add_domain("open.example");
  h.load("aliases", "list = [\"info@example.net anna@b.example\"]\nonly = true");
  h.domain("open.example", "[plugin.aliases]\nonly = false\n");
  test::arrive(h);
  CHECK(h.client.recipient("info@example.net").code == 250);
  CHECK(in_one_line(h.client.recipient("other@example.net")) == "550 5.1.1 No such user here");
  CHECK(h.client.recipient("other@open.example").code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("aliases: accepts nobody, and others judge the recipient that was named",
          "[plugins][aliases]") {
  Harness h;
  h.load("aliases", "list = [\"info@example.net anna@b.example\", \"x@far.example y@b.example\"]");
  h.load("badrcptto", "list = [\"anna@b.example\"]");
  test::arrive(h);
  CHECK(h.client.recipient("info@example.net").code == 250);
  CHECK(h.client.recipient("x@far.example").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("aliases: a mistake in the configuration is told", "[plugins][aliases]") {
  struct Row {
    const char* entry;
    const char* told;
  };
  const auto row = GENERATE(values<Row>({
      {"a@example.net", "'a@example.net' stands for nobody"},
      {"a@example.net b@b.example c", "'a@example.net' stands for 'c', which is no address"},
  }));
  Harness h;
  h.load("aliases", fmt::format("list = [\"{}\"]", row.entry));
  const auto problems = h.problems();
  REQUIRE(problems.size() == 1);
  CHECK(test::contains(problems[0], row.told));
}
