// What a server answers to a command.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::smtp {

// X.Y.Z of RFC 3463; `cls` must equal the first digit of the basic code. All zero: there is none.
struct EnhancedCode {
  std::uint8_t cls = 0;
  std::uint16_t subject = 0;
  std::uint16_t detail = 0;

  constexpr bool present() const { return cls != 0; }
  constexpr bool operator==(const EnhancedCode&) const = default;
};

// Whether the client may be sent UTF-8 in the text: it used SMTPUTF8 (RFC 6531 section 3.7.4.3).
enum class ReplyText : std::uint8_t { ascii, utf8 };

// A text of our own that stands in the program: replies made of it allocate nothing, copies
// neither.
//   Reply unknown_user() { return {550, {5, 1, 1}, "No such user here"_text}; }
class FixedText {
 public:
  consteval explicit FixedText(std::string_view text) : text_(text) {}
  constexpr std::string_view view() const { return text_; }

 private:
  std::string_view text_;
};

inline namespace literals {
consteval FixedText operator""_text(const char* text, std::size_t size) {
  return FixedText({text, size});
}
}  // namespace literals

class Reply {
 public:
  // `text` may hold several lines, separated by '\n' (never CR). `code`: 200 to 599, and 2, 4 or 5
  // with an enhanced code of that class; anything else is a bug and throws std::invalid_argument.
  Reply(int code, EnhancedCode enhanced, std::string text);
  Reply(int code, EnhancedCode enhanced, FixedText text);
  // Without enhanced code: the greeting, replies to HELO and EHLO, 3yz (RFC 2034 section 4).
  Reply(int code, std::string text) : Reply(code, EnhancedCode{}, std::move(text)) {}

  int code() const { return code_; }
  EnhancedCode enhanced() const { return enhanced_; }
  std::string_view text() const { return fixed_.empty() ? text_ : fixed_; }

  bool is_positive() const { return code_ / 100 == 2; }
  bool is_intermediate() const { return code_ / 100 == 3; }
  bool is_transient() const { return code_ / 100 == 4; }
  bool is_permanent() const { return code_ / 100 == 5; }

  Reply with_text(std::string text) const { return {code_, enhanced_, std::move(text)}; }

  // Appends the wire form: each line at most 512 octets with its CRLF (RFC 5321 section 4.5.3.1.5),
  // longer text folded into continuation lines, the enhanced code on each (RFC 2034 section 4).
  // Wherever the text came from, no control octet leaves, nor a non-ASCII one unless `allowed` says
  // so. Text beyond limits::reply_lines is cut.
  void append_to(std::string& out, ReplyText allowed = ReplyText::ascii) const;

  bool operator==(const Reply& other) const {
    return code_ == other.code_ && enhanced_ == other.enhanced_ && text() == other.text();
  }

 private:
  std::uint16_t code_;
  EnhancedCode enhanced_;
  std::string text_;  // unless it is fixed
  std::string_view fixed_;
};

}  // namespace postern::smtp
