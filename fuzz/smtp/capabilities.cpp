// Capabilities: whatever a downstream says, writing what was understood and reading it again is
// stable.
#include <postern/smtp/capabilities.hpp>
#include <postern/smtp/reply_parser.hpp>

#include "../fuzz.hpp"

using namespace postern::smtp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Reply reply(250, std::string(input_text(data, size)));
  const Capabilities found = parse_capabilities(reply);
  FUZZ_CHECK(parse_capabilities(ehlo_reply("mx.example", found)) == found);

  std::string wire;
  ehlo_reply("mx.example", found).append_to(wire);
  ReplyParser parser;
  FUZZ_CHECK(parser.feed(wire).state == ReplyParser::State::done);
  FUZZ_CHECK(parse_capabilities(parser.reply()) == found);
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  return {"mx\nPIPELINING\nSIZE 10240000\nVRFY\nSTARTTLS\n8BITMIME\nDSN\nSMTPUTF8\nCHUNKING",
          "mx\nXCLIENT NAME ADDR PROTO\nXFORWARD SOURCE PORT IDENT\nENHANCEDSTATUSCODES",
          "mx\nAUTH PLAIN LOGIN\nAUTH=LOGIN\nPRDR\nBINARYMIME\nHELP",
          "mx\nLIMITS MAILMAX=1 RCPTMAX=100", "mx\nSIZE"};
}
