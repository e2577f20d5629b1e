#include <postern/base/text.hpp>
#include <postern/mail/charset.hpp>
#include <postern/mail/encoded_word.hpp>

#include <string>

#include "catch.hpp"
#include "work.hpp"

using namespace postern;
using namespace postern::mail;

TEST_CASE("display_text: decodes words of the character sets that mail uses",
          "[mail][encoded_word]") {
  struct Row {
    const char* in;
    const char* out;
  };
  const auto row = GENERATE(values<Row>({
      {"=?iso-8859-1?q?=FC?=", "\xc3\xbc"},
      {"=?WINDOWS-1252?Q?=80?=", "\xe2\x82\xac"},
      {"=?koi8-r?B?8NLJ18XU?=", "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"},
      {"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac"},
      {"=?gb2312?B?1tDOxA==?=", "\xe4\xb8\xad\xe6\x96\x87"},
      {"=?utf-8?q?=e2=82?= =?utf-8?q?=ac?=", "\xe2\x82\xac"},
      {"=?utf-8*de?q?ja?=", "ja"},
      {"=?utf-8?q?Really?"
       "?=",
       "Really?"},
      {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
      {"=?iso-2022-cn-ext?q?a?=", "=?iso-2022-cn-ext?q?a?="},
      {"=?utf-8//TRANSLIT?q?a?=", "=?utf-8//TRANSLIT?q?a?="},
      {"=?utf-8?q?=ff?=", "\xef\xbf\xbd"},
      {"=?us-ascii?q?=ff?=", "\xef\xbf\xbd"},
      {"=?iso-8859-6?q?=ff?=", "\xef\xbf\xbd"},
      {"\xff", "\xef\xbf\xbd"},
      {"a =?utf-8?q?b", "a =?utf-8?q?b"},
  }));
  CAPTURE(row.in);
  CHECK(display_text(row.in) == row.out);
}

TEST_CASE("display_text: never shows a control, however it was written", "[mail][encoded_word]") {
  const std::string nul("a\0b", 3);
  CHECK(display_text("=?utf-8?q?a=0D=0AEvil:_1=00=1B[2J=7F?=") == "a  Evil: 1  [2J");
  CHECK(display_text("=?utf-8?b?DQo=?= x") == "x");
  CHECK(display_text(nul) == "a b");
  CHECK(display_text("a\x1b[2J\xc2\x9b"
                     "b\xe2\x80\xa8"
                     "c") == "a [2J b c");
  CHECK(display_text("=?iso-8859-1?q?=85=9b?=x") == "x");
}

TEST_CASE("display_text: takes linear time whatever the octets, and gives UTF-8",
          "[mail][encoded_word]") {
  for (const char* piece : {"=?", "=?utf-8?q?",
                            "=?utf-8?q?"
                            "?=",
                            "=?utf-8?q?a?= ", "=?utf-8?b?DQo=?=", "=?iso-8859-2?q?=e1?=",
                            "=?gb18030?b?/w==?= ", "=?iso-8859-2?q?a?==?koi8-r?q?b?=", "?=",
                            "=?a?q?x", "=?utf-8?q?=?=", "\xff", "\r\n ", "=?utf-8?q?=e2?="}) {
    CAPTURE(piece);
    CHECK(postern::testing::is_linear(
        piece, [](std::string_view text) { CHECK(valid_utf8(display_text(text))); }));
  }
}

TEST_CASE("CharsetDecoder: every set of its list is in the C library, and stops at nothing",
          "[mail][charset]") {
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
  for (const char* name :
       {"utf-8",       "us-ascii",     "iso-8859-1",  "iso-8859-2",  "iso-8859-8-i", "iso-8859-16",
        "windows-874", "windows-1251", "cp866",       "macintosh",   "koi8-u",       "tis-620",
        "viscii",      "gbk",          "gb18030",     "big5",        "big5-hkscs",   "euc-kr",
        "euc-jp",      "shift_jis",    "iso-2022-jp", "iso-2022-kr", "utf-7",        "utf-16",
        "utf-16be",    "utf-16le",     "utf-32"}) {
    CAPTURE(name);
    CharsetDecoder decoder;
    std::string out;
    CHECK(CharsetDecoder::knows(name));
    CHECK(decoder.append(out, name, all + all));
    CHECK(valid_utf8(out));
  }
  CharsetDecoder decoder;
  std::string out;
  for (const char* name :
       {"", "iso-2022-cn", "iso-2022-cn-ext", "utf-8//translit", "//ignore", "/etc/passwd", "x"})
    CHECK_FALSE(decoder.append(out, name, "a"));
  CHECK(out.empty());
}

TEST_CASE("decode_base64: skips what is not of the alphabet", "[mail][base64]") {
  CHECK(decode_base64("SGVs\r\n bG8=") == "Hello");
  CHECK(decode_base64("SGVsbG8") == "Hello");
  CHECK(decode_base64("SGk=SGk=") == "HiHi");
  CHECK(decode_base64("S") == "");
  CHECK(decode_base64("=====") == "");
}
