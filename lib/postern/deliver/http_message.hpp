// HTTP/1.1 as a client needs it to hand one message over (RFC 9110, RFC 9112): what may stand in a
// request, and how a reply is read. Pure: nothing waits here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace postern::deliver {

// Whether "NAME: VALUE" may stand in a request: RFC 9110's field-name, and no control octet.
bool is_http_field(std::string_view field);
// A value of ours: '%' and what is not printable ASCII becomes "%" and two hexadecimal digits.
std::string encode_http_value(std::string_view text);

// Reads one reply. Interim ones (1xx) are passed over.
class HttpReplyParser {
 public:
  static constexpr std::size_t most_head_octets = 16 * 1024;  // of all heads
  static constexpr std::size_t most_text_octets = 1024;       // of the body; no more is read

  enum class State : std::uint8_t {
    more,  // nothing is decided
    head,  // the status is known; the body may go on
    done,  // as much of the body as is wanted
    malformed,
  };
  State feed(std::string_view octets);
  // The connection has ended: for a body without a length this is its end (RFC 9112 section 6.3).
  State end();

  int status() const { return status_; }  // 200 to 599; once it is known
  const std::string& text() const { return text_; }

 private:
  enum class Body : std::uint8_t { none, counted, chunked, until_end };
  State head();
  bool take_field(std::string_view line);
  State body();
  State chunks();
  State take_text(std::size_t octets);

  std::string input_;
  std::size_t heads_ = 0;  // octets of the heads that were read
  int status_ = 0;
  bool headed_ = false;
  Body body_ = Body::until_end;
  std::uint64_t left_ = 0;  // of the body or of a chunk
  bool in_chunk_ = false;
  bool ends_chunk_ = false;  // its CRLF comes
  std::string text_;
  State state_ = State::more;
};

}  // namespace postern::deliver
