// ASCII text: what mail syntax needs, without locales.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'; }
constexpr bool is_alnum(char c) { return is_digit(c) || is_alpha(c); }
constexpr bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }
constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string lower(std::string_view text);
bool iequals(std::string_view a, std::string_view b);
bool istarts_with(std::string_view text, std::string_view prefix);
std::string_view trim(std::string_view text);  // blanks and tabs at both ends
bool all_ascii(std::string_view text);
bool valid_utf8(std::string_view text);  // RFC 3629: no over-long forms, no surrogates

// The whole of `text` as an unsigned decimal number; nothing when it is empty, has a sign or
// another character, or does not fit.
template <typename Number>
std::optional<Number> to_number(std::string_view text) {
  Number value{};
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || !is_digit(text.front()) || error != std::errc() || stop != end) return {};
  return value;
}

// For logs and replies: controls and non-ASCII octets become \xHH, a backslash is doubled, and what
// is over `limit` octets is cut, marked by "...".
std::string printable(std::string_view text, std::size_t limit = 1024);

}  // namespace postern
