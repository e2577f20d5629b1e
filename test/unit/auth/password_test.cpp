// PLAIN (RFC 4616) and LOGIN; line 18 of docs/protocol-lines.md.
#include <postern/auth/mechanism.hpp>

#include <string>

#include "catch.hpp"

using namespace postern::auth;
using namespace std::string_literals;
using Next = Mechanism::Next;

TEST_CASE("PLAIN: takes a name and a password", "[auth][plain]") {
  struct Row {
    const char* why;
    std::string response;
    Next next;
    std::string user;
    std::string password;
  };
  const auto row = GENERATE(values<Row>({
      {"RFC 4616 section 4", "\0tim\0tanstaaftanstaaf"s, Next::password, "tim", "tanstaaftanstaaf"},
      {"for himself", "tim\0tim\0secret"s, Next::password, "tim", "secret"},
      {"for somebody else", "Ursel\0Kurt\0xipj3plmq"s, Next::refused, "", ""},
      {"blanks, colons", "\0a b@c\0x: y"s, Next::password, "a b@c", "x: y"},
      {"UTF-8", "\0\xc3\xbc@b\0\xc3\xa4"s, Next::password, "\xc3\xbc@b", "\xc3\xa4"},
      {"an 8-bit password", "\0u\0\xe4"s, Next::password, "u", "\xe4"},
      {"an 8-bit name", "\0\xe4\0p"s, Next::malformed, "", ""},
      {"nothing", "", Next::malformed, "", ""},
      {"no NUL", "tim", Next::malformed, "", ""},
      {"one NUL", "tim\0secret"s, Next::malformed, "", ""},
      {"three NULs", "\0tim\0sec\0ret"s, Next::malformed, "", ""},
      {"NUL at the end", "\0tim\0secret\0"s, Next::malformed, "", ""},
      {"no name", "\0\0secret"s, Next::malformed, "", ""},
      {"no name of his own", "tim\0\0secret"s, Next::malformed, "", ""},
      {"no password", "\0tim\0"s, Next::refused, "", ""},
      {"a control in the name", "\0ti\x01m\0p"s, Next::malformed, "", ""},
      {"a newline in the name", "\0ti\nm\0p"s, Next::malformed, "", ""},
      {"a newline in the password", "\0tim\0a\nb"s, Next::password, "tim", "a\nb"},
      {"a long name", "\0" + std::string(256, 'u') + "\0p"s, Next::malformed, "", ""},
      {"a long password", "\0u\0"s + std::string(1025, 'p'), Next::refused, "", ""},
  }));
  CAPTURE(row.why);
  const bool at_once = GENERATE(true, false);
  const auto plain = make_plain();
  if (at_once) {
    CHECK(plain->begin(row.response) == row.next);
  } else {
    CHECK(plain->begin({}) == Next::challenge);
    CHECK(plain->challenge().empty());
    CHECK(plain->respond(row.response) == row.next);
  }
  if (row.next != Next::password) return;
  CHECK(plain->user() == row.user);
  CHECK(plain->password().octets() == row.password);
}

TEST_CASE("PLAIN: each length, with a NUL at each place", "[auth][plain]") {
  for (std::size_t length = 0; length <= 70; ++length)
    for (std::size_t at = 0; at < length; ++at) {
      std::string response(length, 'a');
      response[at] = '\0';
      CHECK(make_plain()->begin(response) == Next::malformed);
    }
}

TEST_CASE("LOGIN: asks for the name, then for the password", "[auth][login]") {
  const auto login = make_login();
  SECTION("step by step") {
    CHECK(login->begin({}) == Next::challenge);
    CHECK(login->challenge() == "Username:");
    CHECK(login->respond("tim@example.net") == Next::challenge);
  }
  SECTION("the name with the command") {
    CHECK(login->begin("tim@example.net") == Next::challenge);
  }
  CHECK(login->challenge() == "Password:");
  CHECK(login->user() == "tim@example.net");
  CHECK(login->respond("secret") == Next::password);
  CHECK(login->user() == "tim@example.net");
  CHECK(login->password().octets() == "secret");
}

TEST_CASE("LOGIN: refuses what is no name or password", "[auth][login]") {
  for (const std::string& name : {""s, "a\0b"s, "\xe4"s, "a\nb"s, std::string(256, 'u')})
    CHECK(make_login()->begin(name) == Next::malformed);
  const auto login = make_login();
  CHECK(login->begin("tim") == Next::challenge);
  SECTION("none") { CHECK(login->respond("") == Next::refused); }
  SECTION("a NUL") { CHECK(login->respond("a\0b"s) == Next::malformed); }
  SECTION("too long") { CHECK(login->respond(std::string(1025, 'p')) == Next::refused); }
}
