// The state table: every verb in every state.
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/client.hpp"

using namespace postern;
using test::Client;
using test::World;

namespace {

const std::string ehlo = "EHLO c.example\r\n";
const std::string mail_line = ehlo + "MAIL FROM:<a@b.example>\r\n";

struct State {
  const char* name;
  std::string prelude;
};

const std::vector<State> states = {
    {"fresh", ""},
    {"greeted", ehlo},
    {"mail given", mail_line},
    {"rcpt given", mail_line + "RCPT TO:<x@example.net>\r\n"},
    {"all recipients refused", mail_line + "RCPT TO:<x@elsewhere.example>\r\n"},
};

struct Row {
  const char* line;
  std::vector<std::string> replies;  // one per state, or one for all
};

const std::vector<Row> rows = {
    {"HELO c.example", {"250"}},
    {"EHLO c.example", {"250"}},
    {"HELO", {"501 5.5.2"}},
    {"EHLO a_b c", {"501 5.5.2"}},
    {"MAIL FROM:<a@b.example>", {"503 5.5.1", "250 2.1.0", "503 5.5.1", "503 5.5.1", "503 5.5.1"}},
    {"MAIL FROM:<>", {"503 5.5.1", "250 2.1.0", "503 5.5.1", "503 5.5.1", "503 5.5.1"}},
    {"MAIL TO:<a@b.example>", {"503 5.5.1", "501 5.5.4", "503 5.5.1", "503 5.5.1", "503 5.5.1"}},
    {"MAIL FROM:<a@b", {"503 5.5.1", "501 5.1.7", "503 5.5.1", "503 5.5.1", "503 5.5.1"}},
    {"RCPT TO:<y@example.net>", {"503 5.5.1", "503 5.5.1", "250 2.1.5", "250 2.1.5", "250 2.1.5"}},
    {"RCPT TO:<y@other.example>",
     {"503 5.5.1", "503 5.5.1", "550 5.7.1", "550 5.7.1", "550 5.7.1"}},
    {"RCPT TO:<postmaster>", {"503 5.5.1", "503 5.5.1", "250 2.1.5", "250 2.1.5", "250 2.1.5"}},
    {"RCPT TO:<>", {"503 5.5.1", "503 5.5.1", "501 5.1.3", "501 5.1.3", "501 5.1.3"}},
    {"RCPT FROM:<y@example.net>",
     {"503 5.5.1", "503 5.5.1", "501 5.5.4", "501 5.5.4", "501 5.5.4"}},
    {"DATA", {"503 5.5.1", "503 5.5.1", "503 5.5.1", "354", "554 5.5.1"}},
    {"DATA now", {"503 5.5.1", "503 5.5.1", "503 5.5.1", "501 5.5.4", "554 5.5.1"}},
    {"BDAT 0 LAST", {"502 5.5.1", "503 5.5.1", "503 5.5.1", "250 2.0.0", "554 5.5.1"}},
    {"BDAT 0", {"502 5.5.1", "503 5.5.1", "503 5.5.1", "250 2.0.0", "554 5.5.1"}},
    {"RSET", {"250 2.0.0"}},
    {"NOOP", {"250 2.0.0"}},
    {"NOOP whatever", {"250 2.0.0"}},
    {"QUIT", {"221 2.0.0"}},
    {"HELP", {"214 2.0.0"}},
    {"HELP MAIL", {"214 2.0.0"}},
    {"VRFY x@example.net", {"252 2.5.0"}},
    {"VRFY", {"501 5.5.4"}},
    {"EXPN staff", {"502 5.5.1"}},
    {"ETRN example.net", {"502 5.5.1"}},
    {"STARTTLS", {"502 5.5.1"}},
    {"AUTH PLAIN", {"502 5.5.1"}},
    {"XCLIENT ADDR=192.0.2.9", {"502 5.5.1"}},
    {"XFORWARD ADDR=192.0.2.9", {"502 5.5.1"}},
    {"WHAT", {"500 5.5.1"}},
    {"", {"500 5.5.1"}},
    {" NOOP", {"500 5.5.1"}},
    {"noop", {"250 2.0.0"}},
    {"NO\x01OP", {"500 5.5.2"}},
    {"NOOP \xc3\xa9", {"500 5.5.2"}},
    {"GET / HTTP/1.1", {"421 4.7.0"}},
    {"Host: mx.example.net", {"421 4.7.0"}},
};

bool begins(const std::string& line, std::string_view verb) { return line.rfind(verb, 0) == 0; }

}  // namespace

TEST_CASE("Session: answers every verb in every state", "[session][state]") {
  for (std::size_t state = 0; state < states.size(); ++state) {
    for (const Row& row : rows) {
      World world;
      world.deliver_to_maildir();
      {
        Client client(world);
        client.say(states[state].prelude);
        const std::string line(row.line);
        const std::string wanted = row.replies.size() == 1 ? row.replies[0] : row.replies[state];
        CAPTURE(states[state].name, line);
        CHECK(client.say(line + "\r\n") == wanted);
        const bool closes = wanted.substr(0, 3) == "221" || wanted.substr(0, 3) == "421";
        CHECK(client.ended() == closes);
        // What was refused changed nothing.
        const bool resets = wanted[0] == '2' &&
                            (begins(line, "RSET") || begins(line, "HELO") || begins(line, "EHLO"));
        const bool in_data = wanted == "354" || (begins(line, "BDAT") && wanted[0] == '2');
        if (!closes && !resets && !in_data && std::string(states[state].name) == "rcpt given")
          CHECK(client.say("DATA\r\n") == "354");
        if (resets) CHECK(client.say("DATA\r\n") == "503 5.5.1");
      }
      CHECK(world.end() == "");
    }
  }
}

TEST_CASE("Session: a BDAT that is not offered has its octets thrown away",
          "[session][bdat][line:9]") {
  World world;
  world.deliver_to_maildir();
  Client client(world);
  client.say("HELO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\n");
  SECTION("whole") { CHECK(client.say("BDAT 6\r\nRSET\r\nDATA\r\n") == "502 5.5.1, 354"); }
  SECTION("in pieces, and none of them a command") {
    CHECK(client.say("BDAT 12 LAST\r\nRSET\r\n") == "502 5.5.1");
    CHECK(client.say("QUIT\r") == "");
    CHECK(client.say("\nNOOP\r\n") == "250 2.0.0");
    CHECK(client.say("DATA\r\n") == "354");
  }
  SECTION("no number: what follows cannot be trusted") {
    for (const char* argument : {"", "-1", "+5", "x", "1 LASTX", "1 2"}) {
      Client other(world);
      CAPTURE(argument);
      CHECK(other.say(std::string("BDAT ") + argument + "\r\nNOOP\r\n") == "220, 501 5.5.4");
      CHECK(other.ended());
    }
  }
  SECTION("more than a message may have") {
    for (const char* argument : {"1099511627777", "99999999999999999999999"}) {
      Client other(world);
      CHECK(other.say(std::string("BDAT ") + argument + "\r\nNOOP\r\n") == "220, 552 5.3.4");
      CHECK(other.ended());
    }
  }
  client.close();
  CHECK(world.end() == "");
}

TEST_CASE("Session: a second EHLO resets, and what it offers then counts",
          "[session][ehlo][line:32]") {
  World world;
  world.deliver_to_maildir();
  Client client(world);
  CHECK(client.say("HELO c.example\r\n") == "220, 250");
  CHECK(client.say("MAIL FROM:<a@b.example> SIZE=10\r\n") == "555 5.5.4");
  CHECK(client.say(ehlo + "MAIL FROM:<a@b.example> SIZE=10\r\n") == "250, 250 2.1.0");
  CHECK(client.say("RCPT TO:<x@example.net>\r\n") == "250 2.1.5");
  CHECK(client.say(ehlo + "DATA\r\n") == "250, 503 5.5.1");
  CHECK(client.say("MAIL FROM:<a@b.example>\r\nDATA\r\n") == "250 2.1.0, 503 5.5.1");
  client.close();
  CHECK(world.end() == "");
  CHECK(world.files.tree().empty());
}
