#include <postern/base/text.hpp>

#include "catch.hpp"

using namespace postern;

TEST_CASE("to_number: takes the whole text or nothing", "[base][text]") {
  CHECK(to_number<unsigned>("0") == 0u);
  CHECK(to_number<unsigned>("4294967295") == 4294967295u);
  for (const char* wrong : {"", "+1", "-1", " 1", "1 ", "0x1", "4294967296"})
    CHECK_FALSE(to_number<unsigned>(wrong));
}

TEST_CASE("printable: leaves no octet that a terminal or a log could act on", "[base][text]") {
  CHECK(printable("a\r\nb\x1b[2J\\") == "a\\x0d\\x0ab\\x1b[2J\\\\");
  CHECK(printable(std::string(2000, 'x'), 10) == "xxxxxxxxxx...");
}

TEST_CASE("valid_utf8: refuses over-long forms, surrogates and cut sequences", "[base][text]") {
  CHECK(valid_utf8("gr\xc3\xbc\xc3\x9f"));
  CHECK(valid_utf8("\xf0\x9f\x93\xac"));
  for (const char* wrong :
       {"\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "\x80"})
    CHECK_FALSE(valid_utf8(wrong));
}
