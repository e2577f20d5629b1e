// Replies: read whole and octet by octet alike; what is written again is well-formed, whatever was
// read.
#include <postern/base/text.hpp>
#include <postern/smtp/limits.hpp>
#include <postern/smtp/reply_parser.hpp>

#include <algorithm>

#include "../fuzz.hpp"

using namespace postern;
using namespace postern::smtp;

namespace {

using State = ReplyParser::State;

// What leaves: lines of at most 512 octets, without control octets, that a client reads as one
// reply.
void check_written(const Reply& reply, ReplyText allowed) {
  std::string wire;
  reply.append_to(wire, allowed);
  FUZZ_CHECK(allowed == ReplyText::ascii ? all_ascii(wire) : valid_utf8(wire));
  std::string_view rest = wire;
  std::size_t lines = 0;
  for (; !rest.empty(); ++lines) {
    const auto end = rest.find("\r\n");
    FUZZ_CHECK(end != std::string_view::npos && end + 2 <= limits::reply_line_octets);
    const std::string_view line = rest.substr(0, end);
    FUZZ_CHECK(std::none_of(line.begin(), line.end(), is_control));
    rest.remove_prefix(end + 2);
    FUZZ_CHECK(line.size() >= 4 && line[3] == (rest.empty() ? ' ' : '-'));
  }
  FUZZ_CHECK(lines <= limits::reply_lines);
  ReplyParser parser;
  const auto fed = parser.feed(wire);
  FUZZ_CHECK(fed.state == State::done && fed.consumed == wire.size());
  FUZZ_CHECK(parser.reply().code() == reply.code());
  if (reply.enhanced().present()) FUZZ_CHECK(parser.reply().enhanced() == reply.enhanced());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view wire = input_text(data, size);
  ReplyParser whole;
  const auto fed = whole.feed(wire);
  FUZZ_CHECK(fed.consumed <= wire.size());
  FUZZ_CHECK(fed.state != State::need_more || fed.consumed == wire.size());

  ReplyParser parts;
  State state = State::need_more;
  std::size_t consumed = 0;
  while (consumed < wire.size() && state == State::need_more)
    state = parts.feed(wire.substr(consumed++, 1)).state;
  FUZZ_CHECK(state == fed.state && consumed == fed.consumed);

  if (fed.state == State::done) {
    const Reply reply = whole.reply();
    FUZZ_CHECK(parts.reply() == reply);
    check_written(reply, ReplyText::ascii);
    check_written(reply, ReplyText::utf8);
    for (const ReplyClass due : {ReplyClass::completion, ReplyClass::intermediate}) {
      const Reply relayed = relayable(reply, due);
      FUZZ_CHECK(relayed.code() >= 400 ||
                 relayed.code() / 100 == (due == ReplyClass::completion ? 2 : 3));
      FUZZ_CHECK(relayed.enhanced().present() == !relayed.is_intermediate());
      check_written(relayed, ReplyText::ascii);
    }
  }
  if (size > 0) check_written(Reply(550, {5, 7, 1}, std::string(wire)), ReplyText::utf8);
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  return {"250 OK\r\n",
          "250 2.1.5 ok\r\n250 next\r\n",
          "550-5.7.1 a\r\n550 5.7.1 b\r\n",
          "354 go\r\n",
          "421 4.3.2 bye\n",
          "250-mx\r\n250-SIZE 1\r\n250 HELP\r\n",
          "250 2.1.5\r\n",
          "550 5.7\r\n",
          "25\r\n",
          "999 x\r\n",
          "250-\r\n",
          "550 \xc3\xbc\xff\x1b[2J\r\n",
          "250\r\n",
          "550 " + std::string(550, 'x') + "\r\n"};
}
