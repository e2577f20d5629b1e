// terse: a line for each message that is taken and each step that is refused.
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using testing::Harness;
using Lines = std::vector<std::string>;

namespace {

constexpr const char* bare = "file = \"/terse\"\ntime = \"none\"";

// As qpsmtpd's logterse would have it; '|' stands for TAB.
std::string tabs(std::string line) {
  std::replace(line.begin(), line.end(), '|', '\t');
  return line;
}

}  // namespace

TEST_CASE("terse: a message that is taken has its line", "[plugins][terse]") {
  struct Row {
    const char* why;
    const char* field;
    const char* id;
  };
  const auto row = GENERATE(values<Row>({
      {"an identifier", "Message-ID: <1@b.example>\r\n", "<1@b.example>"},
      {"without brackets", "Message-ID: 1@b.example\r\n", "<1@b.example>"},
      {"none", "", "<>"},
      {"with a TAB within", "Message-ID: <a\tb@b.example>\r\n", "<a_b@b.example>"},
  }));
  CAPTURE(row.why);
  Harness h;
  h.load("fcrdns");
  h.load("terse", bare);
  h.dns.add_ptr("192.0.2.1", "mail.b.example");
  h.dns.add_a("mail.b.example", "192.0.2.1");
  test::arrive(h);
  REQUIRE(h.client.command("EHLO client.example").code == 250);
  REQUIRE(h.client.command("MAIL FROM:<a@b.example>").code == 250);
  REQUIRE(h.client.command("RCPT TO:<x@example.net>").code == 250);
  REQUIRE(h.client.command("RCPT TO:<y@example.net>").code == 250);
  REQUIRE(h.client.command("DATA").code == 354);
  h.client.send(std::string(row.field) + "Subject: s\r\n\r\nb\r\n.\r\n");
  CHECK(h.client.reply().code == 250);
  CHECK(h.end() == "");
  CHECK(h.lines("/terse") == Lines{tabs("` 192.0.2.1|mail.b.example|client.example|<a@b.example>|"
                                        "<x@example.net>,<y@example.net>|queued||") +
                                   row.id});
}

TEST_CASE("terse: each step that is refused has its line, with qpsmtpd's number",
          "[plugins][terse]") {
  struct Row {
    const char* why;
    const char* plugin;
    const char* keys;
    const char* line;
  };
  const auto row = GENERATE(values<Row>({
      {"at connect", "hosts_allow", "deny = [\"192.0.2.1\"]",
       "` 192.0.2.1|Unknown||||hosts_allow|901|"},
      {"a sender", "badmailfrom", "list = [\"a@b.example\"]",
       "` 192.0.2.1|Unknown|client.example|<a@b.example>||badmailfrom|901|"},
      {"a recipient", "badrcptto", "list = [\"x@example.net\"]",
       "` 192.0.2.1|Unknown|client.example|<a@b.example>|<x@example.net>|badrcptto|901|"},
      {"for a while", "greylisting", "",
       "` 192.0.2.1|Unknown|client.example|<a@b.example>|<x@example.net>|greylisting|902|"},
      {"at the end of data", "headers", "require = [\"Date\"]",
       "` 192.0.2.1|Unknown|client.example|<a@b.example>|<x@example.net>|headers|901|"},
  }));
  CAPTURE(row.why);
  Harness h;
  h.load(row.plugin, row.keys);
  h.load("terse", bare);
  const test::Heard heard = test::whole_dialogue(h);
  REQUIRE(heard.code >= 400);
  CHECK(h.end() == "");
  REQUIRE(h.lines("/terse").size() == 1);
  const std::string line = h.lines("/terse")[0];
  CHECK(line.substr(0, tabs(row.line).size()) == tabs(row.line));
  CHECK(line.ends_with("\tmsg denied before queued"));
}

TEST_CASE("terse: who is turned out has another number, and who is not known a name",
          "[plugins][terse]") {
  Harness h;
  h.load("count_unrecognized_commands", "most = 2");
  h.load("terse", bare);
  test::arrive(h);
  for (int i = 0; i < 2; ++i) h.client.command("NONSENSE");
  CHECK(h.end() == "");
  REQUIRE(h.lines("/terse").size() == 1);
  CHECK(h.lines("/terse")[0].starts_with(
      tabs("` 192.0.2.1|Unknown||||count_unrecognized_commands|903|")));
}

TEST_CASE("terse: the mail server's refusals have lines too, also that of a message",
          "[plugins][terse]") {
  using testing::Fault;
  using testing::Phase;
  const bool late = GENERATE(false, true);
  Harness h;
  h.load("terse", bare);
  h.downstream.fail({late ? Phase::end_of_data : Phase::rcpt, Fault::Kind::reply,
                     "552 5.2.2 Mailbox\tis full\r\n"});
  CHECK(test::whole_dialogue(h).code == 552);
  CHECK(h.end() == "");
  REQUIRE(h.lines("/terse").size() == 1);
  const std::string line = h.lines("/terse")[0];
  CHECK(line.starts_with(
      tabs("` 192.0.2.1|Unknown|client.example|<a@b.example>|<x@example.net>|downstream")));
  CHECK(test::contains(line, tabs("|901|Mailbox")));
  CHECK(std::count(line.begin(), line.end(), '\t') == 8);
}

TEST_CASE("terse: a bounce has a sender, a session without MAIL has none", "[plugins][terse]") {
  Harness h;
  h.load("badrcptto", "list = [\"x@example.net\"]");
  h.load("terse", bare);
  test::arrive(h);
  h.client.command("EHLO client.example");
  h.client.command("MAIL FROM:<>");
  h.client.command("RCPT TO:<x@example.net>");
  h.client.command("RCPT TO:<y@example.net>");
  h.client.command("DATA");
  CHECK(h.end() == "");
  REQUIRE_FALSE(h.lines("/terse").empty());
  CHECK(h.lines("/terse")[0].starts_with(tabs("` 192.0.2.1|Unknown|client.example|<>|<")));
}

TEST_CASE("terse: the time before a line", "[plugins][terse]") {
  struct Row {
    const char* form;
    const char* before;
  };
  const auto row = GENERATE(values<Row>({{"utc", "2026-01-01T00:00:0"},
                                         {"tai64n", "@40000000695"},  // 2026-01-01: 0x6955b900
                                         {"none", "` "}}));
  Harness h;
  h.load("terse", std::string("file = \"/terse\"\ntime = \"") + row.form + "\"");
  CHECK(test::whole_dialogue(h).code == 250);
  CHECK(h.end() == "");
  REQUIRE(h.lines("/terse").size() == 1);
  const std::string line = h.lines("/terse")[0];
  CHECK(line.starts_with(row.before));
  CHECK(test::contains(line, tabs("` 192.0.2.1|Unknown|")));
}

TEST_CASE("terse: without a file lines are in the log", "[plugins][terse]") {
  Harness h;
  h.load("terse");
  CHECK(test::whole_dialogue(h).code == 250);
  CHECK(h.end() == "");
  const auto is_ours = [](const std::string& line) {
    return line.starts_with(tabs("notice: ` 192.0.2.1|Unknown|client.example|<a@b.example>|"));
  };
  CHECK(std::count_if(h.log.lines.begin(), h.log.lines.end(), is_ours) == 1);
}

TEST_CASE("terse: a file that cannot be opened is told, and tried again once a minute",
          "[plugins][terse]") {
  Harness h;
  h.load("terse", bare);
  h.fail_lines("/terse");
  for (int i = 0; i < 3; ++i) CHECK(test::whole_dialogue(h).code == 250);
  h.fail_lines("/terse", false);
  CHECK(test::whole_dialogue(h).code == 250);
  h.tick();
  CHECK(test::whole_dialogue(h).code == 250);
  CHECK(h.end() == "");
  CHECK(h.lines("/terse").size() == 1);
  std::string told;
  for (const std::string& line : h.log.lines)
    if (test::contains(line, "error: terse: ")) told += line + "\n";
  CHECK(told == "error: terse: permission: /terse\nerror: terse: 4 lines were lost\n");
}
