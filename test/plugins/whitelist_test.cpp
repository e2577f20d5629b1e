// whitelist: vouches, and opens no relay.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

namespace {

constexpr const char* spares = "\nexempt = { passed = [\"whitelist\"] }\n";

}  // namespace

TEST_CASE("whitelist: what it lists is spared by who asks it", "[plugins][whitelist]") {
  struct Row {
    const char* why;
    const char* client;
    const char* helo;
    const char* from;
    int code;
  };
  const auto row = GENERATE(values<Row>({
      {"nothing", "192.0.2.1", "client.example", "a@b.example", 550},
      {"an address", "203.0.113.7", "client.example", "a@b.example", 250},
      {"a network as qpsmtpd writes it", "198.51.100.9", "client.example", "a@b.example", 250},
      {"a name", "192.0.2.1", "Friend.example", "a@b.example", 250},
      {"only that very name", "192.0.2.1", "sub.friend.example", "a@b.example", 550},
      {"a sender", "192.0.2.1", "client.example", "boss@b.example", 250},
      {"not the null sender", "192.0.2.1", "client.example", "", 550},
  }));
  CAPTURE(row.why);
  Harness h;
  h.list("whitelisthosts", "203.0.113.7\n198.51.100.\n");
  h.list("whitelisthelo", "friend.example\n");
  h.list("whitelistsenders", "boss@b.example\n<>\n");
  h.load("whitelist",
         "hosts_file = \"whitelisthosts\"\nhelo_file = \"whitelisthelo\"\n"
         "senders_file = \"whitelistsenders\"");
  h.load("badrcptto", std::string("list = [\"x@example.net\"]") + spares);
  test::Letter letter;
  letter.client = row.client;
  letter.helo = row.helo;
  letter.from = row.from;
  CHECK(test::whole_dialogue(h, letter).code == row.code);
  CHECK(h.end() == "");
  CHECK(test::contains(test::all_records(h), "\"plugin\":\"whitelist\"") == (row.code == 250));
}

TEST_CASE("whitelist: it opens no relay and makes no recipient", "[plugins][whitelist]") {
  Harness h;
  h.load("rcpt_ok", "domains = [\"ours.example\"]");
  h.load("whitelist",
         "hosts = [\"192.0.2.1\"]\nhelo = [\"client.example\"]\nsenders = [\"@b.example\"]\n"
         "recipients = [\"x@elsewhere.example\"]");
  test::arrive(h);
  CHECK(h.client.recipient("x@ours.example").code == 250);
  CHECK(in_one_line(h.client.recipient("x@elsewhere.example")).substr(0, 9) == "550 5.7.1");
  CHECK(h.end() == "");
}

TEST_CASE("whitelist: a listed client is spared at connect", "[plugins][whitelist]") {
  Harness h;
  h.load("whitelist", "hosts = [\"192.0.2.1\"]");
  h.load("hosts_allow", std::string("list = [\"192.0.2.0/24 DENY\"]") + spares);
  CHECK(test::arrive(h).code == 220);
  h.client.close();
  CHECK(test::arrive(h, "192.0.2.2").code == 554);
  CHECK(h.end() == "");
}

TEST_CASE("whitelist: each recipient has his own lists", "[plugins][whitelist]") {
  Harness h;
  h.recipients.add_domain("friendly.example");
  h.load("whitelist", "recipients = [\"keen@example.net\"]");
  h.load("badmailfrom", std::string("enforce_at = \"rcpt\"\nlist = [\"@b.example\"]") + spares);
  h.domain("friendly.example", "[plugin.whitelist]\nsenders = [\"@b.example\"]\n");
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net").code == 550);
  CHECK(h.client.recipient("keen@example.net").code == 250);
  CHECK(h.client.recipient("x@friendly.example").code == 250);
  CHECK(h.end() == "");
}
