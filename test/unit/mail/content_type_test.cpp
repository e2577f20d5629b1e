#include <postern/mail/content_type.hpp>

#include <string>

#include "catch.hpp"
#include "work.hpp"

using namespace postern::mail;

TEST_CASE("parse_content_type: keeps parameters that stand twice, and tells broken ones",
          "[mail][content_type]") {
  const auto twice = parse_content_type("multipart/mixed; boundary=a; BOUNDARY=\"b\"");
  REQUIRE(twice);
  CHECK(twice->count("boundary") == 2);
  CHECK(twice->find("Boundary")->value == "a");
  CHECK_FALSE(twice->malformed);
  for (const char* value : {"a/b; x", "a/b; =x", "a/b; x=", "a/b c=d", "a/b; x=\"y",
                            "a/b; x*1=a; x*1=b", "a/b; x*y=z", "a/b; x*=z", "a/b (c"}) {
    CAPTURE(value);
    const auto type = parse_content_type(value);
    REQUIRE(type);
    CHECK(type->malformed);
  }
}

TEST_CASE("parse_content_type: joins the sections of RFC 2231 in their order",
          "[mail][content_type]") {
  struct Row {
    const char* value;
    const char* name;
  };
  const auto row = GENERATE(values<Row>({
      {"attachment; filename*1=\".exe\"; filename*0=\"a\"", "a.exe"},
      {"attachment; filename*0*=utf-8''%e2%82; filename*1*=%ac.exe", "\xe2\x82\xac.exe"},
      {"attachment; filename*10=c; filename*9=b; filename*0=a", "abc"},
      {"attachment; filename=plain.txt; filename*=utf-8''real.exe", "real.exe"},
      {"attachment; filename*=utf-8''a%0d%0ab%00", "a\r\nb"},
      {"attachment; filename*=x-unknown''%ff", "\xff"},
      {"attachment; filename*=utf-8''%ff", "\xef\xbf\xbd"},
      {"attachment; filename*=iso-2022-cn-ext''%41", "A"},
      {"attachment; filename*=utf-8''%4", "%4"},
      {"attachment; filename=\"a.exe;.txt\"", "a.exe;.txt"},
  }));
  CAPTURE(row.value);
  const auto type = parse_content_type(row.value);
  REQUIRE(type);
  REQUIRE(type->find("filename") != nullptr);
  const std::string& found = type->find("filename")->value;
  CHECK(found.substr(0, found.find('\0')) == row.name);
}

TEST_CASE("parse_content_type: takes linear time whatever the octets", "[mail][content_type]") {
  for (const char* piece : {";a=b", ";a*0*=b", ";", "(", "\"", "*", "=?", ";a*=utf-8''%41",
                            "a=\"\\", " =?utf-8?q?a?=", ")", "x=y "}) {
    CAPTURE(piece);
    CHECK(postern::testing::is_linear(piece, [](std::string_view value) {
      parse_content_type("a/b;c=" + std::string(value), 1'000'000);
    }));
  }
}

TEST_CASE("parse_content_type: reads no more than its limit", "[mail][content_type]") {
  std::string value = "a/b";
  for (int i = 0; i < 100'000; ++i) value += ";a=b";
  CHECK(parse_content_type(value)->parameters.size() == 1000);
  CHECK(parse_content_type(value)->truncated);
}
