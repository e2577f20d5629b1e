#include <postern/mail/lexer.hpp>

namespace postern::mail {

bool Lexer::skip_spaces() {
  const std::size_t before = at_;
  while (!done() && is_space(text_[at_])) ++at_;
  return at_ > before;
}

bool Lexer::skip_cfws(std::string* comments) {
  bool any = false;
  for (;; any = true) {
    const bool spaces = skip_spaces();
    if (peek() != '(') return any || spaces;
    const std::string text = comment();
    if (comments == nullptr) continue;
    if (!comments->empty() && !text.empty()) *comments += ' ';
    *comments += text;
  }
}

std::string Lexer::comment() {
  std::string out;
  std::size_t depth = 0;
  while (!done()) {
    const char c = take();
    if (c == '\\' && !done()) {
      out += take();
      continue;
    }
    if (c == ')' && --depth == 0) return out;
    if (c != '(' || depth++ > 0) out += c;
  }
  malformed_ = true;
  return out;
}

std::string Lexer::quoted_string() {
  std::string out;
  for (take(); !done();) {
    const char c = take();
    if (c == '"') return out;
    if (c == '\\' && !done())
      out += take();
    else if (c != '\r' && c != '\n')
      out += c;
  }
  malformed_ = true;
  return out;
}

std::string_view Lexer::word(std::string_view stops) {
  const std::size_t begin = at_;
  while (!done() && !is_space(text_[at_]) && text_[at_] != '(' && text_[at_] != ')' &&
         stops.find(text_[at_]) == std::string_view::npos)
    ++at_;
  return text_.substr(begin, at_ - begin);
}

}  // namespace postern::mail
