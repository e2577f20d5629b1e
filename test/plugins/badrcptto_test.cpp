// badrcptto: refuse listed recipients.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("badrcptto: refuses who is listed, by address, domain or pattern",
          "[plugins][badrcptto]") {
  struct Row {
    const char* why;
    const char* to;
    const char* reply;
  };
  const auto row = GENERATE(values<Row>({
      {"not listed", "good@example.net", "250 2.0.0"},
      {"an address", "Shop@Example.NET", "550 5.1.1 Mail to shop@example.net is not accepted here"},
      {"an address with quotes", "\"shop\"@example.net",
       "550 5.1.1 Mail to shop@example.net is not accepted here"},
      {"no part of an address", "myshop@example.net", "250 2.0.0"},
      {"a text of its own", "old@example.net",
       "550 5.1.1 Address retired, write to new@example.net"},
      {"a domain", "any@closed.example",
       "550 5.1.1 Mail to any@closed.example is not accepted here"},
      {"no subdomain of it", "any@sub.closed.example", "250 2.0.0"},
      {"the percent hack", "a%elsewhere.example@example.net",
       "550 5.1.1 Sorry, percent hack not accepted here"},
      {"a pattern", "info-123@example.net", "550 5.1.1 Closed"},
      {"a pattern in capitals", "INFO-123@example.net", "550 5.1.1 Closed"},
      {"what a pattern does not mean", "info-x@example.net", "250 2.0.0"},
      {"an upper-case escape", "no.digits.x@example.net", "550 5.1.1 Upper"},
      {"... is not the lower-case one", "no.digits.7@example.net", "250 2.0.0"},
  }));
  const bool relays = GENERATE(false, true);  // a client that may relay is refused as well
  CAPTURE(row.why, row.to, relays);
  Harness h;
  h.recipients.add_domain("closed.example");
  h.recipients.add_domain("sub.closed.example");
  h.list("badrcptto",
         "# addresses that were given up\n"
         "shop@example.net\n"
         "old@example.net  Address retired, write to new@example.net\n"
         "@closed.example   # a domain\n"
         "%  Sorry, percent hack not accepted here\n"
         "^info-\\d+@  Closed\n"
         "^no\\.digits\\.\\D@ Upper\n");
  if (relays) h.load("relay", "clients = [\"192.0.2.1\"]");
  h.load("rcpt_accept");
  h.load("badrcptto", "file = \"badrcptto\"");
  test::arrive(h);
  const std::string said = in_one_line(h.client.recipient(row.to));
  CHECK(said.substr(0, std::string(row.reply).size()) == row.reply);
  CHECK(h.end() == "");
}

TEST_CASE("badrcptto: a domain has a list of its own", "[plugins][badrcptto]") {
  Harness h;
  h.recipients.add_domain("strict.example");
  h.load("badrcptto", "list = [\"^a@\"]");
  h.domain("strict.example", "[plugin.badrcptto]\nlist = [\"^b@\"]\n");
  test::arrive(h);
  CHECK(h.client.recipient("a@example.net").code == 550);
  CHECK(h.client.recipient("b@example.net").code == 250);
  CHECK(h.client.recipient("a@strict.example").code == 250);
  CHECK(h.client.recipient("b@strict.example").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("badrcptto: refuses no postmaster", "[plugins][badrcptto][line:30]") {
  Harness h;
  h.load("badrcptto", "list = [\"@example.net\", \"^postmaster$\"]");
  test::arrive(h);
  CHECK(h.client.recipient("postmaster@example.net").code == 250);
  CHECK(h.client.recipient("x@example.net").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("badrcptto: the record tells whose settings refused", "[plugins][badrcptto]") {
  struct Row {
    const char* to;
    const char* settings;
  };
  const auto row = GENERATE(values<Row>({
      {"bad@example.net", ""},
      {"bad@inherits.example", ""},
      {"bad@strict.example", ",\"settings\":\"strict.example\""},
      {"someone@strict.example", ",\"settings\":\"strict.example\""},
      {"anna@strict.example", ",\"settings\":\"anna@strict.example\""},
  }));
  CAPTURE(row.to);
  Harness h;
  for (const char* domain : {"strict.example", "inherits.example"}) h.recipients.add_domain(domain);
  h.load("badrcptto", "list = [\"^bad@\"]");
  h.load("bounce_flood");
  h.domain("inherits.example", "[plugin.bounce_flood]\nmode = \"off\"\n");
  h.domain("strict.example",
           "[plugin.badrcptto]\nlist = [\"^.*@\"]\n"
           "[recipient.\"anna@strict.example\".plugin.badrcptto]\nmode = \"defer\"\n"
           "[recipient.\"someone@strict.example\".plugin.bounce_flood]\nmode = \"off\"\n");
  test::arrive(h);
  CHECK(h.client.recipient(row.to).code >= 450);
  h.client.close();
  CHECK(h.end() == "");
  CHECK(test::contains(
      test::all_records(h),
      fmt::format(R"("text":"Mail to {} is not accepted here"{}}})", row.to, row.settings)));
}
