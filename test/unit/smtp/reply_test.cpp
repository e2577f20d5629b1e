#include <postern/smtp/replies.hpp>
#include <postern/smtp/reply.hpp>

#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"

using namespace postern::smtp;
using namespace std::string_literals;

namespace {

std::string wire(const Reply& reply, ReplyText allowed = ReplyText::ascii) {
  std::string out;
  reply.append_to(out, allowed);
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line + "\n");
  return lines;
}

}  // namespace

TEST_CASE("Reply: one line, several lines, with and without enhanced code", "[smtp][reply]") {
  CHECK(wire({250, {2, 1, 5}, "Recipient OK"}) == "250 2.1.5 Recipient OK\r\n");
  CHECK(wire({354, "Go ahead"}) == "354 Go ahead\r\n");
  CHECK(wire({550, {5, 7, 1}, "first\nsecond\n\nfourth"}) ==
        "550-5.7.1 first\r\n550-5.7.1 second\r\n550-5.7.1 \r\n550 5.7.1 fourth\r\n");
  CHECK(wire({250, "mx.example\nPIPELINING\nSIZE 10"}) ==
        "250-mx.example\r\n250-PIPELINING\r\n250 SIZE 10\r\n");
  CHECK(wire({451, {4, 321, 999}, "x"}) == "451 4.321.999 x\r\n");
}

TEST_CASE("Reply: never an enhanced code without text", "[smtp][reply][line:16]") {
  CHECK(wire({250, {2, 0, 0}, ""}) == "250 2.0.0 OK\r\n");
  CHECK(wire({451, {4, 0, 0}, ""}) == "451 4.0.0 Try again later\r\n");
  CHECK(wire({550, {5, 0, 0}, ""}) == "550 5.0.0 Refused\r\n");
  CHECK(wire({550, {5, 0, 0}, "x\n"}) == "550 5.0.0 x\r\n");
}

TEST_CASE("Reply: appends, and leaves alone what was there", "[smtp][reply]") {
  std::string out = "250 first\r\n";
  Reply(221, {2, 0, 0}, "Bye").append_to(out);
  CHECK(out == "250 first\r\n221 2.0.0 Bye\r\n");
}

TEST_CASE("Reply: outside text can neither end a line nor reach a terminal", "[smtp][reply]") {
  CHECK(wire({550, {5, 7, 1}, "a\r250 ok\x1b[2J\0b\x7f\t."s}) == "550 5.7.1 a 250 ok [2J b  .\r\n");
  CHECK(wire({550, {5, 7, 1}, "gr\xc3\xbcn \xff"}) == "550 5.7.1 gr??n ?\r\n");
  CHECK(wire({550, {5, 7, 1}, "gr\xc3\xbcn"}, ReplyText::utf8) == "550 5.7.1 gr\xc3\xbcn\r\n");
  CHECK(wire({550, {5, 7, 1}, "\xc3\xbc\xff"}, ReplyText::utf8) == "550 5.7.1 ???\r\n");
  CHECK(wire({550, {5, 7, 1}, "\xc3\xbc\tx"}, ReplyText::utf8) == "550 5.7.1 \xc3\xbc x\r\n");
  CHECK(wire({550,
              {5, 7, 1},
              "\xc2\x9b"
              "2J"},
             ReplyText::utf8) == "550 5.7.1 ??2J\r\n");
}

TEST_CASE("Reply: folds long text into lines of at most 512 octets", "[smtp][reply][line:23]") {
  const std::string words = [] {
    std::string text;
    while (text.size() < 5000) text += "word ";
    return text + "end";
  }();
  const auto text =
      GENERATE_REF(as<std::string>{}, std::string(5000, 'x'), words, std::string(5000, ' ') + "x",
                   std::string(501, 'x'), std::string(500, 'x'), std::string(502, 'x'));
  const auto lines = lines_of(wire({550, {5, 7, 1}, text}));
  std::string joined;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CHECK(lines[i].size() <= 512);
    CHECK(lines[i].substr(0, 3) == "550");
    CHECK(lines[i].substr(4, 6) == "5.7.1 ");
    CHECK(lines[i][3] == (i + 1 == lines.size() ? ' ' : '-'));
    CHECK(lines[i].substr(lines[i].size() - 2) == "\r\n");
    joined += lines[i].substr(10, lines[i].size() - 12);
  }
  std::string without_blanks, expected;
  for (char c : joined) without_blanks += c == ' ' ? "" : std::string(1, c);
  for (char c : text) expected += c == ' ' ? "" : std::string(1, c);
  CHECK(without_blanks == expected);
}

TEST_CASE("Reply: a fold does not cut a UTF-8 sequence", "[smtp][reply]") {
  std::string text = "x";
  for (int i = 0; i < 1000; ++i) text += "\xe4\xb8\xad";
  CHECK(wire({550, {5, 7, 1}, text}, ReplyText::utf8).find('?') == std::string::npos);
}

TEST_CASE("Reply: endless text is cut at 100 lines", "[smtp][reply]") {
  const auto lines = lines_of(wire({550, {5, 7, 1}, std::string(100'000, '\n') + "x"}));
  CHECK(lines.size() == 100);
  CHECK(lines.back()[3] == ' ');
  CHECK(lines_of(wire({550, {5, 7, 1}, std::string(1 << 20, 'x')})).size() == 100);
}

TEST_CASE("Reply: a code that cannot be is a bug", "[smtp][reply]") {
  CHECK_THROWS(Reply(199, "x"));
  CHECK_THROWS(Reply(600, "x"));
  CHECK_THROWS(Reply(550, {4, 7, 1}, "x"));
  CHECK_THROWS(Reply(354, {3, 0, 0}, "x"));
  CHECK_THROWS(Reply(550, {5, 1000, 1}, "x"));
}

TEST_CASE("Reply: classes and with_text()", "[smtp][reply]") {
  CHECK(replies::ok().is_positive());
  CHECK(replies::start_data().is_intermediate());
  CHECK(replies::local_error().is_transient());
  CHECK(replies::unknown_user().is_permanent());
  const Reply other = replies::no_relaying().with_text("Not here");
  CHECK(other == Reply(550, {5, 7, 1}, "Not here"));
}

TEST_CASE("replies: each fits one line", "[smtp][reply]") {
  using namespace replies;
  for (const Reply& reply : {greeting("mx.example"),
                             ok(),
                             mail_ok(),
                             rcpt_ok(),
                             start_data(),
                             bye(),
                             help(),
                             cannot_verify(),
                             syntax_error(),
                             line_too_long(),
                             unrecognized(),
                             not_implemented(),
                             bad_argument(),
                             bad_helo_name(),
                             bad_reverse_path(),
                             bad_forward_path(),
                             bad_parameter(),
                             unknown_parameter(),
                             helo_first(),
                             nested_mail(),
                             bad_sequence(),
                             mail_first(),
                             rcpt_first(),
                             no_valid_recipients(),
                             spoke_too_early(),
                             not_smtp(),
                             too_many_errors(),
                             needs_smtputf8(),
                             too_many_recipients(),
                             too_many_messages(),
                             message_too_big(),
                             header_too_big(),
                             bare_newline(),
                             nul_in_message(),
                             mail_loop(),
                             unknown_user(),
                             no_relaying(),
                             local_error(),
                             closing_on_error(),
                             no_space(),
                             too_busy(),
                             shutting_down(),
                             idle(),
                             downstream_unreachable(),
                             downstream_lost(),
                             downstream_closing(),
                             downstream_malformed(),
                             downstream_no_smtputf8(),
                             downstream_no_8bit()}) {
    CAPTURE(reply.code(), reply.text());
    CHECK(lines_of(wire(reply)).size() == 1);
    CHECK(reply.enhanced().present() == (reply.code() != 220 && reply.code() != 354));
  }
}
