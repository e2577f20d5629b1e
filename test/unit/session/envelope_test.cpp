// MAIL and RCPT: parameters, duplicates, and what the downstream sees of them.
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/client.hpp"

using namespace postern;
using test::Client;
using test::World;

namespace {

const std::string content = "a: b\r\n\r\nc\r\n.\r\n";

// What the downstream was sent of the transaction.
std::vector<std::string> forwarded(const World& world) {
  std::vector<std::string> lines;
  for (const auto& session : world.downstream.sessions())
    for (const std::string& line : session.commands)
      if (line.rfind("MAIL", 0) == 0 || line.rfind("RCPT", 0) == 0) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("Session: parameters are forwarded octet for octet", "[session][parameters]") {
  World world;
  world.listen();
  world.forward();
  {
    Client client(world);
    CHECK(client.say(
              "EHLO c.example\r\n"
              "MAIL FROM:<a@b.example> SIZE=100 body=8BitMime RET=HDRS ENVID=Q+2Bq SMTPUTF8\r\n"
              "RCPT TO:<\xc3\xa9@example.net> NOTIFY=SUCCESS,delay ORCPT=rfc822;x+2By@b.example\r\n"
              "RCPT TO:<\"q \\\" q\"@EXAMPLE.net>\r\nRCPT TO:<@relay.example:r@example.net>\r\n"
              "DATA\r\n") == "220, 250, 250 2.1.0, 250 2.0.0, 250 2.0.0, 250 2.0.0, 354");
    CHECK(client.say(content) == "250 2.0.0");
  }
  CHECK(world.end() == "");
  const std::vector<std::string> wanted = {
      "MAIL FROM:<a@b.example> SIZE=100 body=8BitMime RET=HDRS ENVID=Q+2Bq SMTPUTF8",
      "RCPT TO:<\xc3\xa9@example.net> NOTIFY=SUCCESS,delay ORCPT=rfc822;x+2By@b.example",
      "RCPT TO:<\"q \\\" q\"@EXAMPLE.net>", "RCPT TO:<r@example.net>"};
  CHECK(forwarded(world) == wanted);
}

TEST_CASE("Session: parameters are judged by what was offered", "[session][parameters]") {
  struct Row {
    const char* hello;
    const char* line;
    const char* reply;
  };
  const auto row = GENERATE(values<Row>({
      {"HELO", "MAIL FROM:<a@b.example> SIZE=1", "555 5.5.4"},
      {"HELO", "MAIL FROM:<a@b.example> BODY=7BIT", "555 5.5.4"},
      {"EHLO", "MAIL FROM:<a@b.example> NONSENSE", "555 5.5.4"},
      {"EHLO", "MAIL FROM:<a@b.example> AUTH=<>", "555 5.5.4"},
      {"EHLO", "MAIL FROM:<a@b.example> BODY=BINARYMIME", "501 5.5.4"},
      {"EHLO", "MAIL FROM:<a@b.example> SIZE=x", "501 5.5.4"},
      {"EHLO", "MAIL FROM:<a@b.example> SIZE=1 SIZE=1", "501 5.5.4"},
      {"EHLO", "MAIL FROM:<a@b.example> ENVID=+0D+0A", "501 5.5.4"},
      {"EHLO", "MAIL FROM:<a@b.example> RET=ALL", "501 5.5.4"},
      {"EHLO", "MAIL FROM:<a@b.example> NOTIFY=NEVER", "555 5.5.4"},
      {"EHLO", "MAIL FROM:<a@b.example> SIZE=99999999999", "552 5.3.4"},
      {"EHLO", "MAIL FROM:<\xc3\xa9@b.example>", "553 5.6.7"},
      {"EHLO", "MAIL FROM:<\xc3\xa9@b.example> SMTPUTF8", "250 2.1.0"},
      {"EHLO", "MAIL FROM:<\xff@b.example> SMTPUTF8", "500 5.5.2"},
      {"EHLO", "MAIL FROM:<a@b.example>  SIZE=5 ", "250 2.1.0"},
  }));
  CAPTURE(row.hello, row.line);
  World world;
  world.listen();
  world.forward();
  {
    Client client(world);
    client.say(std::string(row.hello) + " c.example\r\n");
    CHECK(client.say(std::string(row.line) + "\r\n") == row.reply);
    // A refused MAIL has begun nothing.
    const bool begun = std::string(row.reply)[0] == '2';
    CHECK(client.say("RCPT TO:<x@example.net>\r\n") == (begun ? "250 2.0.0" : "503 5.5.1"));
  }
  CHECK(world.end() == "");
}

TEST_CASE("Session: a recipient said twice counts once, and each hears",
          "[session][rcpt][line:53]") {
  World world;
  world.listen();
  world.settings.recipients = 2;
  world.forward();
  {
    Client client(world);
    client.say("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n");
    CHECK(client.say(
              "RCPT TO:<x@example.net>\r\nRCPT TO:<x@example.net>\r\nRCPT TO:<x@example.net>\r\n"
              "RCPT TO:<y@example.net>\r\nRCPT TO:<y@example.net>\r\nDATA\r\n") ==
          "250 2.0.0, 250 2.0.0, 250 2.0.0, 250 2.0.0, 250 2.0.0, 354");
    CHECK(client.say(content) == "250 2.0.0");
  }
  CHECK(world.end() == "");
  REQUIRE(world.downstream.ledger().size() == 1);
  CHECK(world.downstream.ledger()[0].forward_paths ==
        std::vector<std::string>{"<x@example.net>", "<y@example.net>"});
}

TEST_CASE("Session: each recipient hears its own answer of the downstream", "[session][rcpt]") {
  World world;
  world.downstream.settings().recipients = {
      {"<no@example.net>", "550 5.1.1 no such\x01 user\r\n"},
      {"<later@example.net>", "450-4.2.0 come\r\n450 4.2.0 again\r\n"},
      {"<moved@example.net>", "251 will forward\r\n"},
  };
  world.listen();
  world.forward();
  {
    Client client(world);
    client.say("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n");
    client.send("RCPT TO:<no@example.net>\r\n");
    CHECK(client.read() == "550 5.1.1 no such  user\r\n");  // no control octet is relayed
    client.send("RCPT TO:<later@example.net>\r\n");
    CHECK(client.read() == "450-4.2.0 come\r\n450 4.2.0 again\r\n");
    client.send("RCPT TO:<moved@example.net>\r\n");
    CHECK(client.read() == "251 2.0.0 will forward\r\n");
    CHECK(client.say("DATA\r\n" + content) == "354, 250 2.0.0");
  }
  CHECK(world.end() == "");
  REQUIRE(world.downstream.ledger().size() == 1);
  CHECK(world.downstream.ledger()[0].forward_paths ==
        std::vector<std::string>{"<moved@example.net>"});
}

TEST_CASE("Session: RSET leaves nothing of the transaction downstream", "[session][rset]") {
  World world;
  world.listen();
  world.forward();
  {
    Client client(world);
    client.say("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\n");
    CHECK(client.say("RSET\r\nMAIL FROM:<c@d.example>\r\nRCPT TO:<y@example.net>\r\nDATA\r\n") ==
          "250 2.0.0, 250 2.1.0, 250 2.0.0, 354");
    CHECK(client.say(content) == "250 2.0.0");
  }
  CHECK(world.end() == "");
  REQUIRE(world.downstream.ledger().size() == 1);
  CHECK(world.downstream.ledger()[0].reverse_path == "<c@d.example>");
  CHECK(world.downstream.ledger()[0].forward_paths == std::vector<std::string>{"<y@example.net>"});
  CHECK(world.downstream.sessions().size() == 1);  // the connection was used again
}
