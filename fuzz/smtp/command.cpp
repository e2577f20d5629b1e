// Lines and commands: every view lies in its line, nothing that passes holds a control octet, and a
// line is the same however much of the input is there.
#include <postern/base/text.hpp>
#include <postern/smtp/bdat.hpp>
#include <postern/smtp/command.hpp>
#include <postern/smtp/domain.hpp>
#include <postern/smtp/limits.hpp>
#include <postern/smtp/line.hpp>

#include <algorithm>

#include "../fuzz.hpp"

using namespace postern;
using namespace postern::smtp;

namespace {

bool no_controls(std::string_view text) {
  return std::none_of(text.begin(), text.end(), is_control);
}

void check_command(std::string_view line) {
  const auto command = parse_command(line);
  const bool other = looks_like_another_protocol(line);
  if (!command) return;
  FUZZ_CHECK(no_controls(command->word) && no_controls(command->argument));
  FUZZ_CHECK(valid_utf8(line));
  FUZZ_CHECK(command->word.size() + command->argument.size() <= line.size());
  FUZZ_CHECK(command->argument == trim(command->argument));
  if (command->verb != Verb::unknown) {
    FUZZ_CHECK(!other);
    FUZZ_CHECK(iequals(command->word, name(command->verb)));
    const std::string again = std::string(command->word) + " " + std::string(command->argument);
    FUZZ_CHECK(parse_command(again)->argument == command->argument);
  }
  if (const auto helo = parse_helo_name(command->argument)) {
    FUZZ_CHECK(*helo == command->argument && helo->size() <= limits::domain_octets);
    const bool plain = helo->find_first_of(" ()<>;\"'`$\\{}|&") == std::string::npos;
    FUZZ_CHECK(all_ascii(*helo) && (plain || is_address_literal(*helo)));
  }
  if (const auto bdat = parse_bdat(command->argument)) {
    FUZZ_CHECK(bdat->octets <= limits::chunk_octets);
    ChunkCounter chunk(*bdat);
    const std::string_view part = chunk.take(line);
    FUZZ_CHECK(part.size() == std::min<std::uint64_t>(bdat->octets, line.size()));
    FUZZ_CHECK(chunk.left() == bdat->octets - part.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t limit = 64;  // small, so that it is met
  std::string_view rest = input_text(data, size);
  while (!rest.empty()) {
    const Line line = take_line(rest, limit);
    if (line.state == Line::State::need_more) {
      FUZZ_CHECK(line.consumed == 0 && rest.size() < limit);
      break;
    }
    FUZZ_CHECK(line.consumed > 0 && line.consumed <= rest.size());
    if (line.state == Line::State::complete) {
      FUZZ_CHECK(line.consumed <= limit && rest[line.consumed - 1] == '\n');
      FUZZ_CHECK(line.text.size() + (line.bare_lf ? 1 : 2) == line.consumed);
      FUZZ_CHECK(line.text.find('\n') == std::string_view::npos);
      FUZZ_CHECK(line.bare_cr == (line.text.find('\r') != std::string_view::npos));
      FUZZ_CHECK(take_line(rest.substr(0, line.consumed), limit).text == line.text);
      FUZZ_CHECK(take_line(rest.substr(0, line.consumed - 1), limit).state ==
                 Line::State::need_more);
      check_command(line.text);
    } else {
      FUZZ_CHECK(line.ended == (rest[line.consumed - 1] == '\n'));
    }
    rest.remove_prefix(line.consumed);
  }
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  return {"EHLO mx.example\r\n",
          "HELO [192.0.2.1]\r\n",
          "EHLO [IPv6:2001:db8::1]\r\n",
          "MAIL FROM:<a@b>\r\n",
          "RCPT TO:<gr\xc3\xbcn@b>\r\n",
          "BDAT 10 LAST\r\n",
          "BDAT 1099511627776\r\n",
          "NOOP\nNOOP\r\n",
          "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
          "STARTTLS\r\nMAIL FROM:<x@y>\r\n",
          std::string(70, 'x') + "\r\nQUIT\r\n",
          " HELO x \t\r\n"};
}
