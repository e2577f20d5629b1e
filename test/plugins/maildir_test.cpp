// maildir: recipients whose mail goes into a Maildir instead of to [forward].
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

namespace {

void prepare(Harness& h) {
  h.recipients.add_domain("box.example");
  h.load("maildir");
  h.domain("box.example", "[plugin.maildir]\npath = \"/mail/box\"\n");
}

// The messages of a Maildir, as they would be after a power loss.
std::vector<std::string> messages(const Harness& h, const std::string& maildir) {
  std::vector<std::string> found;
  for (const auto& [path, content] : h.files.crash())
    if (path.starts_with(maildir + "/new/")) found.push_back(content);
  return found;
}

}  // namespace

TEST_CASE("maildir: mail is on disk before the client hears 250", "[plugins][maildir]") {
  Harness h;
  prepare(h);
  test::arrive(h);
  CHECK(h.client.recipient("x@box.example").code == 250);
  CHECK(h.client.message().code == 250);
  const auto found = messages(h, "/mail/box");
  REQUIRE(found.size() == 1);
  CHECK(test::contains(found.front(), "Return-Path: <a@b.example>"));
  CHECK(test::contains(found.front(), "Delivered-To: x@box.example"));
  CHECK(found.front().ends_with("Subject: test\r\n\r\nhello\r\n"));
  CHECK(h.downstream.ledger().empty());
  CHECK(h.end() == "");
}

TEST_CASE("maildir: a recipient of another way comes with the next try", "[plugins][maildir]") {
  const bool box_first = GENERATE(true, false);
  const std::string first = box_first ? "x@box.example" : "x@example.net";
  const std::string second = box_first ? "x@example.net" : "x@box.example";
  Harness h;
  prepare(h);
  test::arrive(h);
  CHECK(h.client.recipient(first).code == 250);
  CHECK(in_one_line(h.client.recipient(second)).substr(0, 9) == "450 4.5.3");
  CHECK(h.client.message().code == 250);
  CHECK(messages(h, "/mail/box").size() == (box_first ? 1 : 0));
  CHECK(test::delivered_to(h.downstream) == (box_first ? "" : "<x@example.net> "));
  CHECK(h.client.recipient(second).code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(messages(h, "/mail/box").size() == 1);
  CHECK(test::delivered_to(h.downstream) == "<x@example.net> ");
  CHECK(h.end() == "");
}

TEST_CASE("maildir: two Maildirs are two ways", "[plugins][maildir]") {
  Harness h;
  prepare(h);
  h.recipients.add_domain("own.example");
  h.domain("own.example", "[plugin.maildir]\npath = \"/mail/own\"\n");
  test::arrive(h);
  CHECK(h.client.recipient("x@box.example").code == 250);
  CHECK(h.client.recipient("y@box.example").code == 250);
  CHECK(h.client.recipient("x@own.example").code == 450);
  CHECK(h.client.message().code == 250);
  CHECK(messages(h, "/mail/box").size() == 1);
  CHECK(messages(h, "/mail/own").empty());
  CHECK(h.end() == "");
}

TEST_CASE("maildir: a full disk defers, and leaves nothing", "[plugins][maildir]") {
  Harness h;
  prepare(h);
  test::arrive(h);
  CHECK(h.client.recipient("x@box.example").code == 250);
  h.files.fail_from(1, Errc::no_space);
  CHECK(h.client.message().code / 100 == 4);
  CHECK(messages(h, "/mail/box").empty());
  CHECK(h.end() == "");
}

TEST_CASE("maildir: the first of two routes that has one wins", "[plugins][maildir][forward]") {
  const bool maildir_first = GENERATE(true, false);
  testing::ScriptedDownstream second;
  Harness h;
  if (maildir_first) h.load("maildir", "path = \"/mail/all\"");
  h.load("forward", "to = [\"127.0.0.2:2526\"]");
  if (!maildir_first) h.load("maildir", "path = \"/mail/all\"");
  h.listen(Harness::second, second);
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(messages(h, "/mail/all").size() == (maildir_first ? 1 : 0));
  CHECK(second.promised() == (maildir_first ? 0 : 1));
  CHECK(h.end() == "");
}
