// count_unrecognized_commands: hang up on what is no mail client.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

TEST_CASE("count_unrecognized_commands: the fourth is answered by hanging up",
          "[plugins][count_unrecognized_commands][line:56]") {
  Harness h;
  h.load("count_unrecognized_commands");
  test::arrive(h);
  for (int i = 0; i < 3; ++i) CHECK(h.client.command("FROB").code == 500);
  CHECK(in_one_line(h.client.command("NITZ now")) ==
        "521 5.5.1 4 unrecognized commands: this is SMTP, see RFC 5321");
  CHECK(h.client.rest().empty());
  CHECK(h.running() == 0);
  CHECK(h.end() == "");
}

TEST_CASE("count_unrecognized_commands: counts nothing that SMTP knows",
          "[plugins][count_unrecognized_commands]") {
  Harness h;
  h.load("count_unrecognized_commands", "most = 2");
  test::arrive(h);
  CHECK(h.client.command("FROB").code == 500);
  CHECK(h.client.command("RCPT TO:<x@example.net>").code == 503);  // out of order
  CHECK(h.client.command("EXPN staff").code == 502);               // not offered
  CHECK(h.client.command("STARTTLS").code == 502);
  CHECK(h.client.command("EHLO").code == 501);  // bad argument
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(h.client.command("FROB").code == 521);  // a whole session has one count
  CHECK(h.end() == "");
}

TEST_CASE("count_unrecognized_commands: nothing behind the last one is carried out",
          "[plugins][count_unrecognized_commands]") {
  Harness h;
  h.load("count_unrecognized_commands", "most = 1");
  test::arrive(h);
  h.client.send("FROB\r\nEHLO client.example\r\nMAIL FROM:<a@b.example>\r\n");
  CHECK(h.client.reply().code == 521);
  CHECK(h.client.rest().empty());
  CHECK(h.end() == "");
}

TEST_CASE("count_unrecognized_commands: only observed, it hangs up on nobody",
          "[plugins][count_unrecognized_commands]") {
  Harness h;
  h.load("count_unrecognized_commands", "most = 1\nmode = \"observe\"");
  test::arrive(h);
  CHECK(h.client.command("FROB").code == 500);
  CHECK(h.client.command("FROB").code == 500);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.end() == "");
  CHECK(test::contains(test::all_records(h), "\"plugin\":\"count_unrecognized_commands\""));
}

TEST_CASE("count_unrecognized_commands: a program that speaks HTTP is known by its first line",
          "[plugins][count_unrecognized_commands]") {
  const std::string line = GENERATE("GET / HTTP/1.1", "POST / HTTP/1.0", "CONNECT mx:25 HTTP/1.1");
  Harness h;
  h.load("count_unrecognized_commands");
  test::arrive(h);
  CHECK(h.client.command(line).code == 421);
  CHECK(h.client.rest().empty());
  CHECK(h.end() == "");
}
