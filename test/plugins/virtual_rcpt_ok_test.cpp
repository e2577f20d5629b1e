// virtual_rcpt_ok: a file of local-parts for each domain.
#include <postern/policy/list_files.hpp>

#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("virtual_rcpt_ok: a domain's file says who is there", "[plugins][virtual_rcpt_ok]") {
  struct Row {
    const char* why;
    const char* to;
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"listed", "anna@one.example", "250"},
      {"in capitals", "ANNA@One.Example", "250"},
      {"with quotes", "\"anna\"@one.example", "250"},
      {"a dot in it", "carl.c@one.example", "250"},
      {"quoted in the file", "dora d@one.example", "501"},
      {"... and by the client", "\"dora d\"@one.example", "250"},
      {"not listed", "bert@one.example", "550 5.1.1 Mail to bert@one.example is not accepted here"},
      {"of another domain", "bert@two.example", "250"},
      {"listed there only", "anna@two.example", "550 5.1.1"},
      {"everybody", "any@all.example", "250"},
      {"nobody", "any@none.example", "550 5.1.1"},
      {"but the postmaster", "postmaster@none.example", "250"},
      {"and abuse", "abuse@none.example", "250"},
      {"with an extension", "anna+shop@one.example", "250"},
      {"an extension of nobody", "bert+shop@one.example", "550 5.1.1"},
      {"a domain without a file", "anna@elsewhere.example", "550 5.7.1"},
      {"... that others take", "anna@example.net", "250"},
      {"a path in the domain is none", "anna@../one.example", "501"},
  }));
  CAPTURE(row.why, row.to);
  Harness h;
  h.list("valid/one.example", "# by name\nanna\ncarl.c  # with a dot\n\"dora\\ d\"\n");
  h.list("valid/Two.Example", "bert\r\n");
  h.list("valid/all.example", "*\n");
  h.list("valid/none.example", "");
  h.load("rcpt_ok", "domains = [\"example.net\"]");
  h.load("virtual_rcpt_ok", "directory = \"valid\"\nextension = \"+\"");
  test::arrive(h);
  const std::string said = in_one_line(h.client.recipient(row.to));
  CHECK(said.substr(0, std::string(row.heard).size()) == row.heard);
  CHECK(h.end() == "");
}

TEST_CASE("virtual_rcpt_ok: virtual_badusers wins over it", "[plugins][virtual_rcpt_ok]") {
  Harness h;
  h.list("valid/one.example", "anna\nbert\n");
  h.load("virtual_rcpt_ok", "directory = \"valid\"");
  h.load("virtual_badusers", "list = [\"bert\"]");
  test::arrive(h);
  CHECK(h.client.recipient("anna@one.example").code == 250);
  CHECK(h.client.recipient("bert@one.example").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("virtual_rcpt_ok: what is wrong with its files is told", "[plugins][virtual_rcpt_ok]") {
  struct Row {
    const char* file;
    const char* content;
    const char* told;
  };
  const auto row = GENERATE(values<Row>({
      {"valid/one.example", "anna\nbert carl\n",
       "valid/one.example:2:1: plugin.directory: 'bert carl' is no local-part; the line is "
       "skipped"},
      {"valid/one..example", "anna\n", "/etc/postern/valid/one..example: it has an empty label"},
  }));
  CAPTURE(row.file);
  Harness h;
  h.list("valid/good.example", "");
  h.list(row.file, row.content);
  h.load("virtual_rcpt_ok", "directory = \"valid\"");
  std::string problems;
  for (const std::string& line : h.problems()) problems += line + "\n";
  CAPTURE(problems);
  CHECK(test::contains(problems, row.told));
}

TEST_CASE("virtual_rcpt_ok: a folder that is not there is told", "[plugins][virtual_rcpt_ok]") {
  Harness h;
  h.load("virtual_rcpt_ok", "directory = \"valid\"");
  REQUIRE(h.problems().size() == 1);
  CHECK(test::contains(h.problems()[0], "/etc/postern/valid: was not read"));
}

TEST_CASE("virtual_rcpt_ok: a file that has changed is new at once", "[plugins][virtual_rcpt_ok]") {
  Harness h;
  h.list("valid/one.example", "anna\n");
  h.load("virtual_rcpt_ok", "directory = \"valid\"");
  test::arrive(h);
  CHECK(h.client.recipient("anna@one.example").code == 250);
  CHECK(h.client.command("RCPT TO:<bert@one.example>").code == 550);
  policy::ListFiles files(h.lineup().pin());
  CHECK(files.paths() == std::vector<std::string>{"/etc/postern/valid/one.example"});
  CHECK(files.replace("/etc/postern/valid/one.example", "bert\n").empty());
  CHECK(h.client.command("RCPT TO:<bert@one.example>").code == 250);
  CHECK(h.client.command("RCPT TO:<anna-too@one.example>").code == 550);
  CHECK(h.end() == "");
}
