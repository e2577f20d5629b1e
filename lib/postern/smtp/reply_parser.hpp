// The client side of replies: what a downstream answered.
#pragma once

#include <postern/smtp/reply.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::smtp {

// Reads one reply of one or several lines from what a downstream sends, piece by piece.
// A line is three digits (200 to 599), then the end, or a blank or a hyphen and text; each line of
// a reply has the same code. A line may end in LF alone. The whole is bounded by
// limits::downstream_reply_octets and limits::downstream_reply_lines. Control octets in the text
// become blanks. An enhanced code of the right class is taken off each line. Source: RFC 5321
// section 4.2.
class ReplyParser {
 public:
  enum class State : std::uint8_t {
    need_more,
    done,       // reply() is it; the next feed() begins the next reply
    malformed,  // and stays so: whatever follows cannot be trusted, close the connection
  };
  struct Fed {
    std::size_t consumed = 0;  // octets of the input; the rest belongs to the next reply
    State state = State::need_more;
  };

  Fed feed(std::string_view input);
  Reply reply() const { return {code_, enhanced_, text_}; }  // only after done

 private:
  bool add_line(std::string_view line);  // false: malformed

  State state_ = State::need_more;
  bool last_ = false;  // the line just read ends the reply
  int code_ = 0;
  EnhancedCode enhanced_;
  std::size_t lines_ = 0;
  std::size_t octets_ = 0;
  std::string partial_;  // of a line whose end has not come
  std::string text_;
};

// "5.1.1" at the start of `text` as the enhanced code of a reply with `code`, cut off together with
// one blank; not present, and nothing cut off, when it is not well-formed or of another class.
EnhancedCode take_enhanced_code(int code, std::string_view& text);

// What is due from the downstream where its reply is about to be relayed.
enum class ReplyClass : std::uint8_t {
  completion,    // 2yz: MAIL, RCPT, end of data
  intermediate,  // 3yz: DATA
};

// The downstream's reply in a form that our client may get: its code and text, X.0.0 where it has
// no enhanced code. 421 speaks of the downstream's connection, not of ours, and becomes 451 4.3.2;
// a 2yz or 3yz where it is not due becomes 451 4.3.0. Source: RFC 5321 sections 3.8 and 4.2.1, RFC
// 2034 section 4.
Reply relayable(const Reply& downstream, ReplyClass due);

}  // namespace postern::smtp
