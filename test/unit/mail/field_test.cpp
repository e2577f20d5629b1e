#include <postern/mail/field.hpp>

#include <string>

#include "catch.hpp"

using namespace postern;
using namespace postern::mail;

TEST_CASE("make_field: refuses names that are not ftext", "[mail][field]") {
  for (const std::string name : {"", "X Y", "X:", "X\r\nY", "X\t", "\xc3\xbc", "X\x7f", "X\r\n"}) {
    CAPTURE(name);
    const auto field = make_field(name, "v");
    REQUIRE_FALSE(field);
    CHECK(field.error().code == Errc::malformed);
  }
  CHECK_FALSE(make_field(std::string(78, 'x'), "v"));
  CHECK(make_field("X-!#$%&'*+-.^_`{|}~", "v"));
}

TEST_CASE("make_field: refuses values that would end a line or the field for somebody",
          "[mail][field]") {
  const std::string nul("a\0b", 3);
  for (const std::string& value :
       {std::string("a\rb"), std::string("a\nb"), nul, std::string("a\r\nEvil: 1"),
        std::string("a\r\n\r\n b"), std::string("a\r\n \r\n b"), std::string("a\r\n "),
        std::string("a\r\n"), std::string("a\r\n\n b"), std::string("a\r\n \rb"),
        std::string("a\x1b[2J"),
        std::string("a\x0b"
                    "b"),
        std::string("a\xe2\x80\xa8"
                    "b"),
        std::string("a\xe2\x80\xa9"
                    "b"),
        std::string("a\xc2\x85"
                    "b")}) {
    CAPTURE(value);
    CHECK_FALSE(make_field("X-Test", value));
  }
}

TEST_CASE("make_field: folds at blanks to 78 octets, and unfolding gives the value back",
          "[mail][field]") {
  std::string value = "one";
  for (int word = 0; word < 200; ++word)
    value += (word % 3 == 0 ? "  word" : "\tword") + std::to_string(word);
  const auto field = make_field("X-Long", value);
  REQUIRE(field);
  CHECK(field->substr(0, 12) == "X-Long: one ");
  for (std::size_t at = 0; at < field->size();) {
    const std::size_t end = field->find("\r\n", at);
    CHECK(end - at <= 78);
    at = end + 2;
  }
  CHECK(unfold(std::string_view(*field).substr(8)) == value);
}

TEST_CASE("make_field: keeps a value that is folded already", "[mail][field]") {
  CHECK(*make_field("X", "a\r\n\tb\r\n  c") == "X: a\r\n\tb\r\n  c\r\n");
  CHECK(*make_field("X", " a ") == "X: a \r\n");
  CHECK(*make_field("X", "") == "X: \r\n");
  CHECK(*make_field("X", "gr\xc3\xbc\xc3\x9f") == "X: gr\xc3\xbc\xc3\x9f\r\n");
}

TEST_CASE("make_field: refuses a line over 998 octets that no blank can fold", "[mail][field]") {
  CHECK(make_field("X", std::string(995, 'x')));
  const auto field = make_field("X", std::string(996, 'x'));
  REQUIRE_FALSE(field);
  CHECK(field.error().code == Errc::too_long);
  CHECK_FALSE(make_field("X", "a\r\n " + std::string(998, 'x')));
}

TEST_CASE("unfold: removes the CRLF of folds and nothing else", "[mail][field]") {
  CHECK(unfold(" a\r\n b\r\n\tc\r\n") == " a b\tc");
  CHECK(unfold("a\nb\rc") == "a\nb\rc");
  CHECK(unfold("a\r\nb") == "a\r\nb");
  CHECK(unfold("") == "");
}
