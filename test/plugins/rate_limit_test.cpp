// rate_limit: nobody sends more than so much in so long.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using test::Letter;
using testing::Harness;

namespace {

std::string send(Harness& h, const Letter& letter = {}) {
  const std::string heard = in_one_line(test::whole_dialogue(h, letter));
  h.client.close();
  h.run_for(10ms);
  return heard.starts_with("nowhere 250") ? "taken" : heard;
}

}  // namespace

TEST_CASE("rate_limit: so many in so long, and who is limited", "[plugins][rate_limit]") {
  struct Row {
    const char* keys;
    const char* heard;
    const char* client;  // what makes somebody else
    const char* from;
    const char* to;
  };
  const auto row = GENERATE(values<Row>({
      {"", "rcpt 450 4.7.1 Too many recipients from 192.0.2.1/32, try again later", "192.0.2.2", "",
       ""},
      {"networks = { v4 = 24 }\n",
       "rcpt 450 4.7.1 Too many recipients from 192.0.2.0/24, try again later", "192.0.3.1", "",
       ""},
      {"what = \"connections\"\n",
       "connect 421 4.7.1 Too many connections from 192.0.2.1/32, try again later", "192.0.2.2", "",
       ""},
      {"what = \"messages\"\nwho = \"sender\"\n",
       "mail 450 4.7.1 Too many messages from a@b.example, try again later", "", "c@b.example", ""},
      {"what = \"messages\"\nwho = \"sender_domain\"\n",
       "mail 450 4.7.1 Too many messages from @b.example, try again later", "", "a@c.example", ""},
      {"what = \"messages\"\nwho = \"recipient\"\n",
       "rcpt 450 4.7.1 Too many messages for x@example.net, try again later", "", "",
       "y@example.net"},
      {"who = \"recipient_domain\"\n",
       "rcpt 450 4.7.1 Too many recipients for @example.net, try again later", "", "",
       "x@other.example"},
  }));
  CAPTURE(row.keys);
  Harness h;
  h.recipients.add_domain("other.example");
  h.load("rate_limit", std::string(row.keys) + "most = 3\nin = \"30m\"");
  for (int i = 0; i < 3; ++i) CHECK(send(h) == "taken");
  CHECK(send(h) == row.heard);
  Letter other;
  if (*row.client) other.client = row.client;
  if (*row.from) other.from = row.from;
  if (*row.to) other.to = row.to;
  CHECK(send(h, other) == "taken");
  h.run_for(10min);  // a third of the time, a third of the tokens
  CHECK(send(h) == "taken");
  CHECK(send(h) == row.heard);
  CHECK(h.end() == "");
}

TEST_CASE("rate_limit: sessions at once, freed when they end", "[plugins][rate_limit]") {
  Harness h;
  h.load("rate_limit", "most = 0\nat_once = 2");
  testing::HarnessClient first(h), second(h);
  first.connect();
  CHECK(first.greeting().code == 220);
  second.connect();
  CHECK(second.greeting().code == 220);
  CHECK(in_one_line(test::arrive(h)) ==
        "421 4.7.0 Too many connections from 192.0.2.1/32, try again later");
  CHECK(test::arrive(h, "192.0.2.2").code == 220);
  first.close();
  h.run_for(1s);
  for (int i = 0; i < 3; ++i) {
    CHECK(test::arrive(h).code == 220);
    h.client.close();
    h.run_for(1s);
  }
  second.close();
  CHECK(h.end() == "");
}

TEST_CASE("rate_limit: users, strangers or all", "[plugins][rate_limit]") {
  const std::string whose = GENERATE("all", "users", "strangers");
  const bool is_user = GENERATE(true, false);
  CAPTURE(whose, is_user);
  Harness h;
  h.load("relay", "clients = [\"192.0.2.1\"]");
  h.load("rate_limit", "most = 1\nwhose = \"" + whose + "\"");
  Letter letter;
  if (!is_user) letter.client = "198.51.100.1";
  CHECK(send(h, letter) == "taken");
  const bool limited = whose == "all" || is_user == (whose == "users");
  CHECK((send(h, letter) == "taken") != limited);
  CHECK(h.end() == "");
}

TEST_CASE("rate_limit: bounces are nobody's", "[plugins][rate_limit]") {
  Harness h;
  h.load("rate_limit", "who = \"sender\"\nmost = 1");
  Letter bounce;
  bounce.from = "";
  for (int i = 0; i < 3; ++i) CHECK(send(h, bounce) == "taken");
  CHECK(h.end() == "");
}

TEST_CASE("rate_limit: a store that fails is on_error's case", "[plugins][rate_limit]") {
  const std::string on_error = GENERATE("", "\non_error = \"defer\"");
  CAPTURE(on_error);
  Harness h;
  h.load("rate_limit", "most = 1\nat_once = 1" + on_error);
  h.store.fail_with(Errc::io);
  for (int i = 0; i < 2; ++i)
    CHECK(send(h) == (on_error.empty()
                          ? "taken"
                          : "connect 421 4.3.0 Temporary problem, please try again later"));
  CHECK(h.end() == "");
}
