// mailinglist_simple: who may post, and what a list adds.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

namespace {

constexpr const char* closed =
    "[[plugin.list]]\naddress = \"list@example.net\"\nmembers_file = \"members\"\n";

void fill(Harness& h, const std::string& more = "") {
  h.list("members", "anna@b.example\nbert@b.example\n@inner.example\n");
  h.load("mailinglist_simple", closed + more);
}

test::Heard post(Harness& h, const std::string& sender, const std::string& fields) {
  test::Letter letter;
  letter.to = "List@Example.net";
  letter.from = sender;
  letter.content = fields + "Subject: s\r\n\r\nb\r\n";
  return test::whole_dialogue(h, letter);
}

}  // namespace

TEST_CASE("mailinglist_simple: members may post", "[plugins][mailinglist_simple]") {
  struct Row {
    const char* why;
    const char* sender;
    const char* from;
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"a member", "anna@b.example", "From: Anna <anna@b.example>\r\n", "nowhere 250"},
      {"of a domain of members", "x@inner.example", "From: y@inner.example\r\n", "nowhere 250"},
      {"two of them", "anna@b.example", "From: anna@b.example, bert@b.example\r\n", "nowhere 250"},
      {"an outsider", "eve@b.example", "From: anna@b.example\r\n",
       "rcpt 550 5.7.2 eve@b.example may not post to list@example.net"},
      {"an outsider in From", "anna@b.example", "From: eve@b.example\r\n",
       "message 550 5.7.2 eve@b.example may not post to list@example.net"},
      {"an outsider beside a member", "anna@b.example", "From: anna@b.example, eve@b.example\r\n",
       "message 550 5.7.2 eve@b.example"},
      {"a name that looks like a member", "anna@b.example",
       "From: \"anna@b.example\" <eve@c.example>\r\n", "message 550 5.7.2 eve@c.example"},
      {"no From", "anna@b.example", "", "message 550 5.7.2 Who tells no name"},
      {"a bounce", "", "From: anna@b.example\r\n", "rcpt 550 5.7.2 Mailing lists take no bounces"},
      {"one that it has sent", "anna@b.example",
       "From: anna@b.example\r\nX-Mailing-List: <List@Example.net>\r\n", "message 554 5.4.6"},
      {"one that another list has sent", "anna@b.example",
       "From: anna@b.example\r\nX-Mailing-List: other@example.net\r\n", "nowhere 250"},
  }));
  CAPTURE(row.why);
  Harness h;
  fill(h);
  const std::string said = in_one_line(post(h, row.sender, row.from));
  CHECK(said.substr(0, std::string(row.heard).size()) == row.heard);
  CHECK(h.end() == "");
}

TEST_CASE("mailinglist_simple: one of the two may be enough, or nobody need be a member",
          "[plugins][mailinglist_simple]") {
  struct Row {
    const char* key;
    bool sender;  // an outsider there is refused
    bool from;
  };
  const auto row = GENERATE(values<Row>({
      {"", true, true},
      {"by = \"sender\"", true, false},
      {"by = \"from\"", false, true},
      {"posters = \"all\"", false, false},
  }));
  CAPTURE(row.key);
  Harness h;
  fill(h, row.key);
  CHECK((post(h, "eve@c.example", "From: anna@b.example\r\n").code == 550) == row.sender);
  CHECK((post(h, "anna@b.example", "From: eve@c.example\r\n").code == 550) == row.from);
  CHECK(h.end() == "");
}

TEST_CASE("mailinglist_simple: a list is named in its messages", "[plugins][mailinglist_simple]") {
  const bool fields = GENERATE(true, false);
  Harness h;
  fill(h, fields ? "reply_to = \"list@example.net\"" : "fields = false");
  CHECK(post(h, "anna@b.example",
             "From: anna@b.example\r\nReply-To: anna@b.example\r\nPrecedence: first\r\n")
            .code == 250);
  REQUIRE(h.downstream.ledger().size() == 1);
  const std::string& sent = h.downstream.ledger()[0].content;
  CAPTURE(sent);
  CHECK(test::contains(sent, "\r\nList-Id: <list.example.net>\r\n") == fields);
  CHECK(test::contains(sent, "\r\nList-Post: <mailto:list@example.net>\r\n") == fields);
  CHECK(test::contains(sent, "\r\nX-Mailing-List: list@example.net\r\n") == fields);
  CHECK(test::contains(sent, "\r\nPrecedence: bulk\r\n") == fields);
  CHECK(test::contains(sent, "\r\nPrecedence: first\r\n") != fields);
  CHECK(test::contains(sent, "\r\nReply-To: list@example.net\r\n") == fields);
  CHECK(test::contains(sent, "\r\nReply-To: anna@b.example\r\n") != fields);
  CHECK(h.end() == "");
}

TEST_CASE("mailinglist_simple: what a list adds is in nobody else's copy",
          "[plugins][mailinglist_simple]") {
  const bool list_first = GENERATE(true, false);
  Harness h;
  fill(h);
  const std::string first = list_first ? "list@example.net" : "x@example.net";
  const std::string second = list_first ? "x@example.net" : "list@example.net";
  test::arrive(h);
  CHECK(h.client.recipient(first, "anna@b.example").code == 250);
  CHECK(in_one_line(h.client.command("RCPT TO:<" + second + ">")).substr(0, 9) == "452 4.5.3");
  CHECK(h.client.command("RSET").code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("mailinglist_simple: addresses are addresses", "[plugins][mailinglist_simple]") {
  const std::string key = GENERATE(as<std::string>{}, "address = \"list\"",
                                   "address = \"l@example.net\"\nreply_to = \"x y\"");
  CAPTURE(key);
  Harness h;
  h.load("mailinglist_simple", "[[plugin.list]]\n" + key);
  REQUIRE(h.problems().size() == 1);
  CHECK(test::contains(h.problems()[0], "is no address"));
}
