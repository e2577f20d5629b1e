#include <postern/mail/encoded_word.hpp>
#include <postern/mail/lexer.hpp>
#include <postern/mail/text_list.hpp>

namespace postern::mail {

std::vector<std::string> parse_text_list(std::string_view value, std::size_t limit) {
  std::vector<std::string> items;
  std::string item;
  const auto end_item = [&] {
    std::string text = display_text(item);
    if (!text.empty()) items.push_back(std::move(text));
    item.clear();
  };
  Lexer lexer(value);
  while (!lexer.done() && items.size() < limit) {
    if (lexer.peek() == '"')
      item += lexer.quoted_string();
    else if (lexer.peek() == ',')
      lexer.skip(1), end_item();
    else
      item += lexer.take();
  }
  if (items.size() < limit) end_item();
  return items;
}

}  // namespace postern::mail
