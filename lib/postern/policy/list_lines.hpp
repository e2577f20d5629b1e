// The lines of a list's file.
#pragma once

#include <postern/base/text.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::policy {

enum class Comments : unsigned char {
  after_blanks,  // `#` at the start of a line or after a blank
  whole_lines,   // `#` at the start of a line's text
};

inline std::string_view without_comment(std::string_view line, Comments comments) {
  if (comments == Comments::whole_lines) return trim(line).starts_with('#') ? "" : line;
  for (std::size_t i = 0; i < line.size(); ++i)
    if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t'))
      return line.substr(0, i);
  return line;
}

inline std::size_t count_lines(std::string_view content) {
  return static_cast<std::size_t>(std::count(content.begin(), content.end(), '\n')) + 1;
}

// What is said of a bad entry: nothing of the entry itself where it holds a secret.
template <typename Table>
std::string told_of(std::string_view entry, const std::string& fault) {
  if constexpr (requires { Table::holds_secrets; })
    return "the entry " + fault;
  else
    return '\'' + printable(entry, 80) + "' " + fault;
}

// Calls use(entry, line, column) for each line with something in it; both count from 1.
template <typename Use>
void each_line(std::string_view content, Comments comments, const Use& use) {
  for (std::uint32_t number = 1; !content.empty(); ++number) {
    const auto end = content.find('\n');
    std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string_view entry = trim(without_comment(line, comments));
    if (entry.empty()) continue;
    use(entry, number, static_cast<std::uint32_t>(entry.data() - line.data() + 1));
  }
}

}  // namespace postern::policy
