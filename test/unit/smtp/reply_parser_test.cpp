#include <postern/smtp/limits.hpp>
#include <postern/smtp/reply_parser.hpp>

#include <string>

#include "catch.hpp"

using namespace postern::smtp;
using namespace std::string_literals;

namespace {

using State = ReplyParser::State;

State feed_octets(ReplyParser& parser, const std::string& wire, std::size_t& consumed) {
  State state = State::need_more;
  for (consumed = 0; consumed < wire.size() && state == State::need_more; ++consumed)
    state = parser.feed({&wire[consumed], 1}).state;
  return state;
}

}  // namespace

TEST_CASE("ReplyParser: reads well-formed replies", "[smtp][reply_parser]") {
  struct Row {
    const char* why;
    std::string wire;
    int code;
    EnhancedCode enhanced;
    std::string text;
  };
  const auto row = GENERATE(values<Row>({
      {"plain", "250 OK\r\n", 250, {}, "OK"},
      {"enhanced", "250 2.1.5 fine\r\n", 250, {2, 1, 5}, "fine"},
      {"enhanced without text", "250 2.1.5\r\n", 250, {2, 1, 5}, ""},
      {"enhanced with three digits", "550 5.123.999 x\r\n", 550, {5, 123, 999}, "x"},
      {"two numbers are no code", "550 5.7\r\n", 550, {}, "5.7"},
      {"another class", "550 4.7.1 x\r\n", 550, {}, "4.7.1 x"},
      {"four digits", "550 5.7.1000 x\r\n", 550, {}, "5.7.1000 x"},
      {"glued text", "550 5.7.1x\r\n", 550, {}, "5.7.1x"},
      {"3yz has none", "354 3.0.0 x\r\n", 354, {}, "3.0.0 x"},
      {"code alone", "250\r\n", 250, {}, ""},
      {"code and blank", "250 \r\n", 250, {}, ""},
      {"LF alone", "250 OK\n", 250, {}, "OK"},
      {"several", "250-mx\r\n250-SIZE 1\r\n250 HELP\r\n", 250, {}, "mx\nSIZE 1\nHELP"},
      {"several enhanced", "550-5.7.1 a\r\n550-5.7.1 b\r\n550 5.7.1\r\n", 550, {5, 7, 1}, "a\nb\n"},
      {"another enhanced later", "550-5.7.1 a\r\n550 5.1.1 b\r\n", 550, {5, 7, 1}, "a\n5.1.1 b"},
      {"last without text", "250-a\r\n250\r\n", 250, {}, "a\n"},
      {"controls", "550 a\x1b[2J\0b\rc\x7f\r\n"s, 550, {}, "a [2J b c "},
      {"8-bit is kept for the writer to judge", "550 \xc3\xbc\r\n", 550, {}, "\xc3\xbc"},
      {"bounds", "599 x\r\n", 599, {}, "x"},
  }));
  CAPTURE(row.why, row.wire);
  SECTION("whole") {
    ReplyParser parser;
    const auto fed = parser.feed(row.wire + "220 next\r\n");
    REQUIRE(fed.state == State::done);
    CHECK(fed.consumed == row.wire.size());
    CHECK(parser.reply() == Reply(row.code, row.enhanced, row.text));
    CHECK(parser.feed("220 next\r\n").state == State::done);
    CHECK(parser.reply() == Reply(220, "next"));
  }
  SECTION("octet by octet") {
    ReplyParser parser;
    std::size_t consumed = 0;
    REQUIRE(feed_octets(parser, row.wire, consumed) == State::done);
    CHECK(consumed == row.wire.size());
    CHECK(parser.reply() == Reply(row.code, row.enhanced, row.text));
  }
}

TEST_CASE("ReplyParser: refuses what is no reply, for good", "[smtp][reply_parser][line:35]") {
  for (const std::string& wire : {"\r\n"s,
                                  "25\r\n"s,
                                  "25"s + "\n",
                                  "999 x\r\n"s,
                                  "600 x\r\n"s,
                                  "199 x\r\n"s,
                                  "000 x\r\n"s,
                                  "2500 x\r\n"s,
                                  "250x\r\n"s,
                                  "250\tx\r\n"s,
                                  " 250 x\r\n"s,
                                  "-25 x\r\n"s,
                                  "+25 x\r\n"s,
                                  "2 0 x\r\n"s,
                                  "abc\r\n"s,
                                  "250-a\r\n251 b\r\n"s,
                                  "250-a\r\nb\r\n"s,
                                  "250-a\r\n\r\n"s,
                                  "\0"s + "50 x\r\n",
                                  "2\0"s + "0 x\r\n",
                                  "250\0x\r\n"s,
                                  "HTTP/1.1 400 Bad Request\r\n"s}) {
    CAPTURE(wire);
    ReplyParser whole;
    CHECK(whole.feed(wire).state == State::malformed);
    CHECK(whole.feed("250 OK\r\n").state == State::malformed);
    CHECK(whole.feed("250 OK\r\n").consumed == 0);
    ReplyParser parts;
    std::size_t consumed = 0;
    CHECK(feed_octets(parts, wire, consumed) == State::malformed);
  }
}

TEST_CASE("ReplyParser: an unfinished reply needs more", "[smtp][reply_parser]") {
  for (const char* wire : {"", "2", "250", "250-", "250-\r\n", "250 ok", "250 ok\r"}) {
    CAPTURE(wire);
    ReplyParser parser;
    CHECK(parser.feed(wire).state == State::need_more);
  }
}

TEST_CASE("ReplyParser: neither a long line nor many lines can fill memory",
          "[smtp][reply_parser][line:35]") {
  ReplyParser line;
  CHECK(line.feed("250 " + std::string(1 << 20, 'x')).state == State::malformed);
  ReplyParser pieces;
  State state = State::need_more;
  std::size_t octets = 0;
  for (; state == State::need_more; octets += 1000)
    state = pieces.feed(std::string(1000, '2')).state;
  CHECK(octets <= limits::downstream_reply_octets + 1000);

  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "250-\r\n";
  ReplyParser lines;
  const auto fed = lines.feed(many);
  CHECK(fed.state == State::malformed);
  CHECK(fed.consumed == 6 * (limits::downstream_reply_lines + 1));

  std::string most;
  for (std::size_t i = 1; i < limits::downstream_reply_lines; ++i) most += "250-x\r\n";
  ReplyParser enough;
  CHECK(enough.feed(most + "250 x\r\n").state == State::done);
}

TEST_CASE("relayable: keeps code and text where a reply is due",
          "[smtp][reply_parser][line:16][line:35]") {
  struct Row {
    Reply in;
    ReplyClass due;
    int code;
    EnhancedCode enhanced;
  };
  const auto completion = ReplyClass::completion, intermediate = ReplyClass::intermediate;
  const auto row = GENERATE_COPY(values<Row>({
      {{250, {2, 1, 5}, "x"}, completion, 250, {2, 1, 5}},
      {{250, "x"}, completion, 250, {2, 0, 0}},
      {{251, "x"}, completion, 251, {2, 0, 0}},
      {{452, "x"}, completion, 452, {4, 0, 0}},
      {{550, {5, 1, 1}, "x"}, completion, 550, {5, 1, 1}},
      {{550, "x"}, intermediate, 550, {5, 0, 0}},
      {{354, "x"}, intermediate, 354, {}},
      {{354, "x"}, completion, 451, {4, 3, 0}},
      {{250, "x"}, intermediate, 451, {4, 3, 0}},
      {{421, {4, 3, 2}, "x"}, completion, 451, {4, 3, 2}},
      {{421, "x"}, intermediate, 451, {4, 3, 2}},
  }));
  const Reply out = relayable(row.in, row.due);
  CHECK(out.code() == row.code);
  CHECK(out.enhanced() == row.enhanced);
  if (out.code() == row.in.code()) CHECK(out.text() == "x");
}
