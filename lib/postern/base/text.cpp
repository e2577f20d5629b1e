#include <postern/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace postern {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = ascii_lower(c);
  return out;
}

bool iequals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return ascii_lower(x) == ascii_lower(y);
         });
}

bool istarts_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool all_ascii(std::string_view text) { return std::all_of(text.begin(), text.end(), is_ascii); }

bool valid_utf8(std::string_view text) {
  const auto* octet = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = octet + text.size();
  while (octet != end) {
    if (*octet < 0x80) {
      ++octet;
      continue;
    }
    int more = 0;
    std::uint32_t point = 0, least = 0;
    if ((*octet & 0xe0) == 0xc0)
      more = 1, point = *octet & 0x1f, least = 0x80;
    else if ((*octet & 0xf0) == 0xe0)
      more = 2, point = *octet & 0x0f, least = 0x800;
    else if ((*octet & 0xf8) == 0xf0)
      more = 3, point = *octet & 0x07, least = 0x10000;
    else
      return false;
    if (end - octet <= more) return false;
    for (++octet; more > 0; --more, ++octet) {
      if ((*octet & 0xc0) != 0x80) return false;
      point = (point << 6) | (*octet & 0x3fu);
    }
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
  }
  return true;
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  for (char c : text.substr(0, limit)) {
    if (c == '\\')
      out += "\\\\";
    else if (is_control(c) || !is_ascii(c))
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  if (text.size() > limit) out += "...";
  return out;
}

}  // namespace postern
