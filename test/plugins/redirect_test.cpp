// redirect: the new address of who has moved.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("redirect: tells where somebody has gone", "[plugins][redirect]") {
  struct Row {
    const char* to;
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"old@example.net", "551 5.1.6 User not local; please try <new@b.example>"},
      {"OLD@Example.Net", "551 5.1.6 User not local; please try <new@b.example>"},
      {"any@gone.example", "551 5.1.6 User not local; please try <info@b.example>"},
      {"other@example.net", "250 2.0.0"},
  }));
  CAPTURE(row.to);
  Harness h;
  h.recipients.add_domain("gone.example");
  h.load("redirect",
         "list = [\"old@example.net new@b.example\", \"@gone.example info@b.example\"]");
  test::arrive(h);
  const std::string said = in_one_line(h.client.recipient(row.to));
  CHECK(said.substr(0, std::string(row.heard).size()) == row.heard);
  CHECK(h.end() == "");
}

TEST_CASE("redirect: from a file that was tampered with only addresses are told",
          "[plugins][redirect]") {
  const std::string told =
      GENERATE(as<std::string>{}, "", "nobody", "a@b.example and more", "<a@b.example>",
               "@b.example", "a@b@c.example", "\xc3\xa4@b.example",
               std::string(300, 'a') + "@b.example", "a@b.example\\r\\n250 ok");
  CAPTURE(told);
  Harness h;
  h.list("moved", "x@example.net " + told + "\n");
  h.load("redirect", "file = \"moved\"");
  CHECK(test::whole_dialogue(h).code == 250);
  CHECK(h.end() == "");
  CHECK(test::contains(h.log.lines.at(0), "'x@example.net' has no address behind it"));
}

TEST_CASE("redirect: in the configuration such an entry is a mistake", "[plugins][redirect]") {
  Harness h;
  h.load("redirect", "list = [\"x@example.net nobody\"]");
  const auto problems = h.problems();
  REQUIRE(problems.size() == 1);
  CHECK(test::contains(problems[0], "'x@example.net' has no address behind it"));
}

TEST_CASE("redirect: a domain and a mode of its own", "[plugins][redirect]") {
  Harness h;
  h.recipients.add_domain("soft.example");
  h.load("redirect");
  h.domain("soft.example",
           "[plugin.redirect]\nlist = [\"a@soft.example new@b.example\"]\nmode = \"defer\"\n");
  test::arrive(h);
  CHECK(in_one_line(h.client.recipient("a@soft.example")) ==
        "450 4.1.6 User not local; please try <new@b.example>");
  CHECK(h.client.recipient("a@example.net").code == 250);
  CHECK(h.end() == "");
}
