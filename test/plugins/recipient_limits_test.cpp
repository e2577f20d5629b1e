// recipient_limits: what a mailbox takes.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("recipient_limits: a size for each mailbox", "[plugins][recipient_limits]") {
  const bool announced = GENERATE(true, false);
  const std::size_t octets = GENERATE(1000u, 1001u);
  CAPTURE(announced, octets);
  Harness h;
  h.recipients.add_domain("small.example");
  h.load("recipient_limits");
  h.domain("small.example", "[plugin.recipient_limits]\nsize = \"1KB\"\n");
  test::arrive(h);
  CHECK(h.client.command("EHLO c.example").code == 250);
  const std::string mail = "MAIL FROM:<a@b.example>";
  CHECK(h.client.command(announced ? fmt::format("{} SIZE={}", mail, octets) : mail).code == 250);
  const auto said = h.client.command("RCPT TO:<x@small.example>");
  if (announced && octets > 1000) {
    CHECK(in_one_line(said) == "552 5.2.3 The message is larger than this mailbox takes");
    CHECK(h.client.command("RCPT TO:<x@example.net>").code == 250);
  } else {
    REQUIRE(said.code == 250);
    std::string content = "Subject: s\r\n\r\n";
    content += std::string(octets - content.size() - 2, 'x') + "\r\n";
    CHECK(h.client.message(content).code == (octets > 1000 ? 552 : 250));
  }
  CHECK(h.end() == "");
}

TEST_CASE("recipient_limits: who wants to be alone gets a message of his own",
          "[plugins][recipient_limits]") {
  Harness h;
  h.recipients.add_domain("alone.example");
  h.load("recipient_limits");
  h.domain("alone.example", "[plugin.recipient_limits]\nrecipients = 1\n");
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(in_one_line(h.client.command("RCPT TO:<x@alone.example>")).substr(0, 9) == "452 4.5.3");
  CHECK(h.client.command("RCPT TO:<y@example.net>").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(h.client.recipient("x@alone.example").code == 250);
  CHECK(h.end() == "");
}
