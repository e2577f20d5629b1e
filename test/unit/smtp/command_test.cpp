#include <postern/smtp/command.hpp>

#include <string>

#include "catch.hpp"

using namespace postern;
using namespace postern::smtp;

TEST_CASE("parse_command: splits verb and argument", "[smtp][command]") {
  struct Row {
    const char* line;
    Verb verb;
    const char* word;
    const char* argument;
  };
  const auto row = GENERATE(values<Row>({
      {"HELO mx.example", Verb::helo, "HELO", "mx.example"},
      {"ehlo  mx.example  ", Verb::ehlo, "ehlo", "mx.example"},
      {"Mail FROM:<a@b>", Verb::mail, "Mail", "FROM:<a@b>"},
      {"RCPT TO:<\"a b\"@c>", Verb::rcpt, "RCPT", "TO:<\"a b\"@c>"},
      {"BDAT 10 LAST", Verb::bdat, "BDAT", "10 LAST"},
      {"QUIT \t ", Verb::quit, "QUIT", ""},
      {"STARTTLS", Verb::starttls, "STARTTLS", ""},
      {"XFORWARD NAME=x", Verb::xforward, "XFORWARD", "NAME=x"},
      {"XCLIENT", Verb::xclient, "XCLIENT", ""},
      {"AUTH PLAIN AGEAYg==", Verb::auth, "AUTH", "PLAIN AGEAYg=="},
      {" HELO x", Verb::unknown, "", "HELO x"},
      {"HELOx y", Verb::unknown, "HELOx", "y"},
      {"HEL", Verb::unknown, "HEL", ""},
      {"", Verb::unknown, "", ""},
      {"   ", Verb::unknown, "", ""},
  }));
  CAPTURE(row.line);
  const auto command = parse_command(row.line);
  REQUIRE(command);
  CHECK(command->verb == row.verb);
  CHECK(command->word == row.word);
  CHECK(command->argument == row.argument);
}

TEST_CASE("parse_command: every verb is found by its own name", "[smtp][command]") {
  for (int i = 0; i < static_cast<int>(Verb::unknown); ++i) {
    const auto verb = static_cast<Verb>(i);
    CAPTURE(name(verb));
    CHECK(parse_command(name(verb))->verb == verb);
  }
  CHECK(name(Verb::unknown).empty());
}

TEST_CASE("parse_command: refuses octets that no command may hold", "[smtp][command][line:51]") {
  using namespace std::string_literals;
  for (const std::string& line :
       {"NO\0OP"s, "\0"s, "NOOP \0"s, "HELO a\rb"s, "RCPT TO:<a\n@b>"s, "HELO \x1b[2J"s,
        "HELO a\x7f"s, "MAIL\tFROM:<a@b>"s, "HELO gr\xc3\xbcn"s, "QU\xc3\xbc"s, "RCPT TO:<\xff@b>"s,
        "RCPT TO:<\xc0\x80@b>"s, "MAIL FROM:<\xed\xa0\x80@b>"s, "RCPT TO:<\xc2\x85@b>"s,
        "M\xc3\xbc FROM:<a@b>"s}) {
    CAPTURE(line);
    const auto command = parse_command(line);
    REQUIRE_FALSE(command);
    CHECK(command.error().code == Errc::malformed);
  }
}

TEST_CASE("parse_command: valid UTF-8 is for MAIL, RCPT, VRFY and EXPN", "[smtp][command]") {
  for (const char* line : {"MAIL FROM:<gr\xc3\xbcn@example>", "rcpt TO:<a@\xc3\xbc.example>",
                           "VRFY gr\xc3\xbcn", "EXPN gr\xc3\xbcn"})
    CHECK(parse_command(line));
}

TEST_CASE("looks_like_another_protocol: knows browsers, TLS and header fields",
          "[smtp][command][line:48]") {
  using namespace std::string_literals;
  for (const std::string& line :
       {"GET / HTTP/1.1"s, "POST /x HTTP/1.0"s, "CONNECT mx.example:25 HTTP/1.1"s,
        "PRI * HTTP/2.0"s, "\x16\x03\x01\x02\x00\x01\x00\x01"s, "SSH-2.0-x"s, "Host: mx.example"s,
        "User-Agent: x"s, "Subject:x"s, "From: <a@b>"s})
    CHECK(looks_like_another_protocol(line));
  for (const char* line : {"MAIL FROM:<a@b>", "RCPT TO:<a:b@c>", "EHLO [IPv6:::1]", "NOOP a: b", "",
                           ":", "get x", "GETX y", "HELP GET", "QUIT"})
    CHECK_FALSE(looks_like_another_protocol(line));
}
