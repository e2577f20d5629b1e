// rdns_blacklist: refuses clients by the name of their host.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("rdns_blacklist: a name is refused by itself, its domain and its top-level domain",
          "[plugins][rdns_blacklist]") {
  struct Row {
    const char* name;
    const char* text;  // empty: it is let in
  };
  const auto row = GENERATE(values<Row>({
      {"host7.provider.RU", "Top-level domain ru is not welcome here"},
      {"mail.spam.example", "Domain spam.example is not welcome here"},
      {"spam.example", "Host name spam.example is not welcome here"},
      {"bad.host.example", "Host name bad.host.example is not welcome here"},
      {"good.host.example", ""},
      {"guru", ""},
      {"ru.example", ""},
      {"notspam.example", ""},
  }));
  const bool directory = GENERATE(true, false);
  CAPTURE(row.name, directory);
  Harness h;
  h.dns.add_ptr("192.0.2.1", row.name);
  if (directory) {
    h.list("tld", "bad.host.example\nru\nspam.example\n");  // what is in a directory comes so
    h.load("rdns_blacklist", "directory = \"tld\"");
  } else {
    h.load("rdns_blacklist", "list = [\"bad.host.example\", \"ru\", \".spam.example\"]");
  }
  const test::Heard heard = test::whole_dialogue(h);
  if (*row.text)
    CHECK(in_one_line(heard) == std::string("rcpt 550 5.7.1 ") + row.text);
  else
    CHECK(heard.code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("rdns_blacklist: any of a client's names is enough", "[plugins][rdns_blacklist]") {
  Harness h;
  h.dns.add_ptr("192.0.2.1", "mail.example");
  h.dns.add_ptr("192.0.2.1", "x.spam.example");
  h.load("rdns_blacklist", "list = [\"spam.example\"]");
  CHECK(test::whole_dialogue(h).code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("rdns_blacklist: each domain has its own directory", "[plugins][rdns_blacklist]") {
  Harness h;
  h.recipients.add_domain("strict.example");
  h.dns.add_ptr("192.0.2.1", "host.provider.ru");
  h.list("strict", "ru\n");
  h.load("rdns_blacklist");
  h.domain("strict.example", "[plugin.rdns_blacklist]\ndirectory = \"strict\"\n");
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.client.recipient("x@strict.example").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("rdns_blacklist: a name server that fails is on_error's case",
          "[plugins][rdns_blacklist]") {
  const bool defers = GENERATE(true, false);
  Harness h;
  h.dns.silence("1.2.0.192.in-addr.arpa");
  h.load("rdns_blacklist",
         std::string("list = [\"ru\"]") + (defers ? "\non_error = \"defer\"" : ""));
  CHECK(test::whole_dialogue(h).code == (defers ? 450 : 250));
  CHECK(h.end() == "");
}
