// Replies of web servers, read as they come.
#include <postern/deliver/http_message.hpp>

#include <string>

#include "catch.hpp"

using postern::deliver::HttpReplyParser;
using State = HttpReplyParser::State;

namespace {

struct Read {
  State state = State::more;
  int status = 0;
  std::string text;
};

Read read(const std::string& octets, std::size_t piece, bool ends = false) {
  HttpReplyParser parser;
  Read out;
  for (std::size_t at = 0; at < octets.size(); at += piece)
    out.state = parser.feed(std::string_view(octets).substr(at, piece));
  if (ends) out.state = parser.end();
  out.status = parser.status();
  out.text = parser.text();
  return out;
}

const std::string ok = "HTTP/1.1 200 OK\r\n";

}  // namespace

TEST_CASE("HttpReplyParser: knows where a reply ends", "[deliver][http]") {
  struct Row {
    const char* why;
    std::string octets;
    State state;
    int status;
    std::string text;
  };
  const auto row = GENERATE(values<Row>({
      {"nothing yet", "HTTP/1.1 200", State::more, 0, ""},
      {"the head is not whole", ok, State::more, 200, ""},
      {"no reason", "HTTP/1.0 201 \r\nContent-Length: 0\r\n\r\n", State::done, 201, ""},
      {"no reason and no blank", "HTTP/1.1 201\r\nContent-Length: 0\r\n\r\n", State::done, 201, ""},
      {"a body that is counted", ok + "content-LENGTH:  2 \r\n\r\nhi", State::done, 200, "hi"},
      {"... what follows is not read", ok + "Content-Length: 2\r\n\r\nhiHTTP", State::done, 200,
       "hi"},
      {"... not all here", ok + "Content-Length: 3\r\n\r\nhi", State::head, 200, "hi"},
      {"the same length twice", ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
       State::done, 200, "hi"},
      {"none", "HTTP/1.1 204 No\r\n\r\n", State::done, 204, ""},
      {"until the end", "HTTP/1.1 503 Busy\r\n\r\nlater", State::head, 503, "later"},
      {"in chunks",
       ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nA;x=y\r\n 012345678\r\n0\r\n\r\n",
       State::done, 200, "hi 012345678"},
      {"chunks, whatever the length says",
       ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n", State::done,
       200, "hi"},
      {"behind interim ones",
       "HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 103 x\r\nContent-Length: 9\r\n\r\n" + ok +
           "Content-Length: 0\r\n\r\n",
       State::done, 200, ""},
      {"lines that end with LF", "HTTP/1.1 404 No\nContent-Length: 2\n\nno", State::done, 404,
       "no"},
      {"no HTTP", "220 smtp.example ESMTP\r\n", State::malformed, 0, ""},
      {"another version", "HTTP/2.0 200 OK\r\n", State::malformed, 0, ""},
      {"no status", "HTTP/1.1 2x0 OK\r\n", State::malformed, 0, ""},
      {"no such status", "HTTP/1.1 600 OK\r\n", State::malformed, 0, ""},
      {"two lengths", ok + "Content-Length: 2\r\nContent-Length: 3\r\n", State::malformed, 200, ""},
      {"no number", ok + "Content-Length: -1\r\n", State::malformed, 200, ""},
      {"a coding that we do not know", ok + "Transfer-Encoding: gzip, chunked\r\n",
       State::malformed, 200, ""},
      {"no field", ok + "nothing\r\n", State::malformed, 200, ""},
      {"a chunk without a size", ok + "Transfer-Encoding: chunked\r\n\r\nx\r\n", State::malformed,
       200, ""},
      {"a chunk that is longer than it says", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nhi\r\n",
       State::malformed, 200, "h"},
      {"a size beyond all", ok + "Transfer-Encoding: chunked\r\n\r\n11112222333344445\r\n",
       State::malformed, 200, ""},
  }));
  CAPTURE(row.why);
  const std::size_t piece = GENERATE(as<std::size_t>{}, 1, 5, 1'000'000);
  const Read got = read(row.octets, piece);
  CHECK(got.state == row.state);
  CHECK(got.status == row.status);
  CHECK(got.text == row.text);
}

TEST_CASE("HttpReplyParser: an end of the connection ends a body, and nothing else",
          "[deliver][http]") {
  CHECK(read("HTTP/1.1 503 Busy\r\n\r\nlater", 100, true).state == State::done);
  CHECK(read("HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nlater", 100, true).state ==
        State::done);
  CHECK(read("HTTP/1.1 200 OK\r\nX: y\r\n", 100, true).state == State::malformed);
  CHECK(read("", 100, true).state == State::malformed);
}

TEST_CASE("HttpReplyParser: holds no more than its limits", "[deliver][http]") {
  const std::size_t piece = GENERATE(as<std::size_t>{}, 1000, 1'000'000);
  const std::string endless(2 * HttpReplyParser::most_head_octets, 'x');
  CHECK(read(ok + "X: " + endless, piece).state == State::malformed);
  std::string fields;
  while (fields.size() < HttpReplyParser::most_head_octets) fields += "X: y\r\n";
  CHECK(read(ok + fields, piece).state == State::malformed);
  std::string interim;
  while (interim.size() <= HttpReplyParser::most_head_octets) interim += "HTTP/1.1 100 Go\r\n\r\n";
  CHECK(read(interim, piece).state == State::malformed);
  const Read body = read("HTTP/1.1 500 No\r\n\r\n" + endless, piece);
  CHECK(body.state == State::done);
  CHECK(body.text.size() == HttpReplyParser::most_text_octets);
  CHECK(read(ok + "Transfer-Encoding: chunked\r\n\r\n1;" + endless, piece).state ==
        State::malformed);
}

TEST_CASE("is_http_field: takes a field, and none that would be two", "[deliver][http]") {
  using postern::deliver::is_http_field;
  CHECK(is_http_field("Authorization: Bearer x"));
  CHECK(is_http_field("X:"));
  for (const char* wrong : {"", ":", ": x", "X", "X y: z", "X: a\r\nY: b", "X: a\nb", "X\t: a"})
    CHECK_FALSE(is_http_field(wrong));
}

TEST_CASE("encode_http_value: leaves nothing that a header could not hold", "[deliver][http]") {
  using postern::deliver::encode_http_value;
  CHECK(encode_http_value("<a@b.example>") == "<a@b.example>");
  CHECK(encode_http_value("\xc3\xa4\r\n%") == "%C3%A4%0D%0A%25");
}
