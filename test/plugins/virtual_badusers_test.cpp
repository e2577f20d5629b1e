// virtual_badusers: local-parts that take no mail.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("virtual_badusers: refuses local-parts of each domain by its own list",
          "[plugins][virtual_badusers]") {
  struct Row {
    const char* why;
    const char* to;
    bool refused;
  };
  const auto row = GENERATE(values<Row>({
      {"a local-part of every domain", "info@example.net", true},
      {"in capitals", "INFO@example.net", true},
      {"with quotes", "\"info\"@example.net", true},
      {"with an extension", "info+x@example.net", true},
      {"a longer one", "information@example.net", false},
      {"one that another domain refuses", "sales@example.net", false},
      {"a domain's own", "sales@strict.example", true},
      {"a domain's own list replaces the site's", "info@strict.example", false},
      {"what is an extension elsewhere", "sales+x@strict.example", false},
      {"a whole address", "old@example.net", true},
      {"... of another domain", "old@strict.example", false},
  }));
  CAPTURE(row.why, row.to);
  Harness h;
  h.recipients.add_domain("strict.example");
  h.list("badusers", "info\nold@example.net\n");
  h.load("virtual_badusers", "file = \"badusers\"\nextension = \"+\"");
  h.domain("strict.example",
           "[plugin.virtual_badusers]\nfile = \"\"\nlist = [\"sales\"]\nextension = \"-\"\n");
  test::arrive(h);
  CHECK(h.client.recipient(row.to).code == (row.refused ? 550 : 250));
  CHECK(h.end() == "");
}

TEST_CASE("virtual_badusers: wins over whoever accepts, whatever the order",
          "[plugins][virtual_badusers]") {
  const bool first = GENERATE(true, false);
  Harness h;
  if (first) h.load("virtual_badusers", "list = [\"info\"]");
  h.load("rcpt_ok", "recipients = [\"info@example.net\", \"anna@example.net\"]");
  if (!first) h.load("virtual_badusers", "list = [\"info\"]");
  test::arrive(h);
  CHECK(in_one_line(h.client.recipient("info@example.net")) ==
        "550 5.1.1 Mail to info@example.net is not accepted here");
  CHECK(h.client.recipient("anna@example.net").code == 250);
  CHECK(h.end() == "");
}
