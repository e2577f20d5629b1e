#include <postern/base/json.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <string>

#include "catch.hpp"

using postern::json::Writer;

namespace {

std::string written(std::string_view text) {
  std::string out;
  postern::json::append_string(out, text);
  return out;
}

}  // namespace

TEST_CASE("json::Writer: nests objects and arrays with commas where they belong", "[base][json]") {
  std::string out;
  Writer(out)
      .begin()
      .key("n")
      .number(-7)
      .begin_array("recipients")
      .string("a")
      .begin()
      .key("b")
      .boolean(true)
      .end()
      .begin_array()
      .end()
      .end()
      .begin("empty")
      .end()
      .key("big")
      .number(std::numeric_limits<std::uint64_t>::max())
      .key("half")
      .number(0.5)
      .key("none")
      .null()
      .key("last")
      .raw("[1]")
      .end();
  CHECK(out == R"({"n":-7,"recipients":["a",{"b":true},[]],"empty":{},"big":18446744073709551615,)"
               R"("half":0.5,"none":null,"last":[1]})");
  CHECK(nlohmann::json::accept(out));
}

TEST_CASE("json::Writer: writes null for numbers that JSON does not have", "[base][json]") {
  std::string out;
  Writer(out).begin_array().number(std::nan("")).number(HUGE_VAL).number(-HUGE_VAL).end();
  CHECK(out == "[null,null,null]");
}

TEST_CASE("json::Writer: every octet and every pair of octets gives valid JSON", "[base][json]") {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string value{static_cast<char>(first), static_cast<char>(second)};
      const std::string out = written(value);
      if (!nlohmann::json::accept(out)) FAIL("not JSON: " << first << ' ' << second);
      for (const char c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) FAIL("a raw control: " << first);
      if (first < 128 && second < 128 && nlohmann::json::parse(out) != value)
        FAIL("changed: " << first << ' ' << second);
    }
  }
}

TEST_CASE("json::Writer: replaces what is not UTF-8, octet by octet", "[base][json]") {
  struct Row {
    const char* why;
    std::string in;
    const char* out;
  };
  const auto row = GENERATE(values<Row>({
      {"kept", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x93\xac", "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x93\xac\""},
      {"lone continuation", "a\x80z", R"("a\ufffdz")"},
      {"cut at the end", "a\xe2\x82", R"("a\ufffd\ufffd")"},
      {"ASCII after a cut character stays", "\xe2\"", R"("\ufffd\"")"},
      {"over-long NUL", std::string("\xc0\x80"), R"("\ufffd\ufffd")"},
      {"surrogate", "\xed\xa0\x80", R"("\ufffd\ufffd\ufffd")"},
      {"beyond Unicode", "\xf4\x90\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},
      {"C1 controls, which a terminal obeys",
       "\xc2\x9b"
       "2J",
       R"("\u009b2J")"},
      {"escape sequence, NUL and DEL", std::string("\x1b[2J\0\x7f", 6),
       R"("\u001b[2J\u0000\u007f")"},
      {"no second record", "x\r\n{\"a\":1}", R"("x\r\n{\"a\":1}")"},
  }));
  CAPTURE(row.why);
  CHECK(written(row.in) == row.out);
}

TEST_CASE("json::Writer: cuts a value at 1 KiB, between characters, and says so", "[base][json]") {
  CHECK(written(std::string(1024, 'x')) == '"' + std::string(1024, 'x') + '"');
  CHECK(written(std::string(1 << 20, 'x')) == '"' + std::string(1024, 'x') + "...\"");
  CHECK(written(std::string(1023, 'x') + "\xc3\xbc") == '"' + std::string(1023, 'x') + "...\"");
  CHECK(written(std::string(1022, 'x') + "\xf0\x9f\x93\xac") ==
        '"' + std::string(1022, 'x') + "...\"");
  CHECK(nlohmann::json::accept(written(std::string(5000, '\x80'))));
  std::string out;
  postern::json::append_string(out, "abcdef", 3);
  CHECK(out == "\"abc...\"");
}
