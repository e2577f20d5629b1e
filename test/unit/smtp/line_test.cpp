#include <postern/smtp/line.hpp>

#include <string>

#include "catch.hpp"

using namespace postern::smtp;

TEST_CASE("take_line: cuts at the first LF and says what was bare", "[smtp][line]") {
  struct Row {
    const char* why;
    std::string in;
    std::string text;
    std::size_t consumed;
    bool bare_lf, bare_cr;
  };
  const auto row = GENERATE(values<Row>({
      {"plain", "NOOP\r\nQUIT\r\n", "NOOP", 6, false, false},
      {"empty", "\r\n", "", 2, false, false},
      {"LF alone", "NOOP\nQUIT\r\n", "NOOP", 5, true, false},
      {"empty LF", "\n", "", 1, true, false},
      {"CR inside", "NO\rOP\r\n", "NO\rOP", 7, false, true},
      {"two CRs", "NOOP\r\r\n", "NOOP\r", 7, false, true},
      {"CR before a bare LF's text", "\rNOOP\n", "\rNOOP", 6, true, true},
      {"NUL ends nothing", std::string("NO\0OP\r\n", 7), std::string("NO\0OP", 5), 7, false, false},
  }));
  CAPTURE(row.why, row.in);
  const Line line = take_line(row.in, 512);
  CHECK(line.state == Line::State::complete);
  CHECK(line.text == row.text);
  CHECK(line.consumed == row.consumed);
  CHECK(line.bare_lf == row.bare_lf);
  CHECK(line.bare_cr == row.bare_cr);
  for (std::size_t cut = 0; cut < row.consumed; ++cut) {
    const Line less = take_line(std::string_view(row.in).substr(0, cut), 512);
    CHECK(less.state == Line::State::need_more);
    CHECK(less.consumed == 0);
  }
}

TEST_CASE("take_line: the limit counts the line end", "[smtp][line]") {
  CHECK(take_line(std::string(510, 'x') + "\r\n", 512).state == Line::State::complete);
  CHECK(take_line(std::string(511, 'x'), 512).state == Line::State::need_more);

  const std::string over = std::string(511, 'x') + "\r\nQUIT\r\n";
  const Line line = take_line(over, 512);
  CHECK(line.state == Line::State::too_long);
  CHECK(line.ended);
  CHECK(line.consumed == 513);
}

TEST_CASE("take_line: a line too long that has not ended is skipped with what follows",
          "[smtp][line]") {
  const Line line = take_line(std::string(600, '\r'), 512);
  CHECK(line.state == Line::State::too_long);
  CHECK_FALSE(line.ended);
  CHECK(line.consumed == 600);

  const Skipped more = skip_line("xxx");
  CHECK(more.consumed == 3);
  CHECK_FALSE(more.ended);
  const Skipped end = skip_line("x\nQUIT\r\n");
  CHECK(end.consumed == 2);
  CHECK(end.ended);
}
