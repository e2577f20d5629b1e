// Replies of web servers: what is read does not depend on how the octets come, and holds no more
// than it may.
#include <postern/deliver/http_message.hpp>

#include "../fuzz.hpp"

using postern::deliver::HttpReplyParser;
using State = HttpReplyParser::State;

namespace {

struct Read {
  State state = State::more;
  int status = 0;
  std::string text;
};

Read read(std::string_view input, std::size_t piece) {
  HttpReplyParser parser;
  Read out;
  for (std::size_t at = 0; at < input.size(); at += piece) {
    out.state = parser.feed(input.substr(at, piece));
    FUZZ_CHECK(parser.text().size() <= HttpReplyParser::most_text_octets);
  }
  if (out.state == State::head || out.state == State::done)
    FUZZ_CHECK(parser.status() >= 200 && parser.status() <= 599);
  out.status = parser.status();
  out.text = parser.text();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = input_text(data, size);
  const Read whole = read(input, size + 1);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
    const Read again = read(input, piece);
    FUZZ_CHECK(again.state == whole.state && again.status == whole.status);
    if (whole.state != State::malformed) FUZZ_CHECK(again.text == whole.text);
  }
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  return {ok + "Content-Length: 2\r\n\r\nhi",
          ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
          "HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 204 No\r\n\r\n", "HTTP/1.0 503 Busy\n\nlater",
          ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n"};
}
