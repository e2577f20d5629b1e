// What structured fields are made of (RFC 5322 section 3.2): blanks, comments, quoted strings.
//
// One pass, no recursion: nested comments are counted. What is open at the end of the field ends
// there, and malformed() tells.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::mail {

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  bool done() const { return at_ == text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  char take() { return text_[at_++]; }
  std::size_t position() const { return at_; }
  std::string_view rest() const { return text_.substr(at_); }
  void skip(std::size_t octets) { at_ += octets; }
  bool malformed() const { return malformed_; }

  bool skip_spaces();  // folding included; whether there were any
  // Spaces and comments; the comments' texts are appended to `comments`, with a blank between.
  bool skip_cfws(std::string* comments = nullptr);

  // At '(': the comment's text, escapes resolved, nested comments with their parentheses.
  std::string comment();
  // At '"': the content, escapes resolved, folds removed.
  std::string quoted_string();
  // The octets up to one of `stops`, a space or a parenthesis.
  std::string_view word(std::string_view stops);

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  bool malformed_ = false;
};

}  // namespace postern::mail
