#include <postern/mail/lexer.hpp>
#include <postern/mail/message_id.hpp>

#include <algorithm>
#include <iterator>

namespace postern::mail {

std::vector<std::string> parse_message_ids(std::string_view value, std::size_t limit) {
  std::vector<std::string> bracketed, bare;
  Lexer lexer(value);
  while (!lexer.done() && bracketed.size() < limit && bare.size() < limit) {
    lexer.skip_cfws();
    if (lexer.peek() == '<') {
      const std::string_view rest = lexer.rest().substr(1);
      const std::size_t end = std::min(rest.find('>'), rest.size());
      std::string id;
      std::copy_if(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(end),
                   std::back_inserter(id), [](char c) { return c != '\r' && c != '\n'; });
      lexer.skip(1 + std::min(end + 1, rest.size()));
      if (!id.empty()) bracketed.push_back(std::move(id));
    } else if (const auto word = lexer.word("<"); !word.empty()) {
      bare.emplace_back(word);
    } else if (!lexer.done()) {
      lexer.skip(1);  // a parenthesis that closes nothing
    }
  }
  return bracketed.empty() ? bare : bracketed;
}

}  // namespace postern::mail
