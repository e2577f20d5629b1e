#include <postern/base/utf8.hpp>

namespace postern {
namespace {

constexpr Utf8Character invalid{0xfffd, 1, false};

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }
bool is_scalar(std::uint32_t point) {
  return point < 0xd800 || (point > 0xdfff && point <= 0x10ffff);
}

}  // namespace

Utf8Character decode_utf8(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return {first, 1, true};
  std::size_t octets = 0;
  std::uint32_t point = 0, least = 0;
  if ((first & 0xe0) == 0xc0)
    octets = 2, point = first & 0x1f, least = 0x80;
  else if ((first & 0xf0) == 0xe0)
    octets = 3, point = first & 0x0f, least = 0x800;
  else if ((first & 0xf8) == 0xf0)
    octets = 4, point = first & 0x07, least = 0x10000;
  else
    return invalid;
  if (text.size() < octets) return invalid;
  for (std::size_t at = 1; at < octets; ++at) {
    if (!is_continuation(text[at])) return invalid;
    point = (point << 6) | (static_cast<unsigned char>(text[at]) & 0x3fu);
  }
  if (point < least || !is_scalar(point)) return invalid;
  return {point, octets, true};
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto octet = [&out](std::uint32_t value) { out += static_cast<char>(value); };
  const auto tail = [&](int shift) { octet(0x80 | (point >> shift & 0x3f)); };
  if (!is_scalar(point)) point = 0xfffd;
  if (point < 0x80) return octet(point);
  if (point < 0x800) return octet(0xc0 | point >> 6), tail(0);
  if (point < 0x10000) return octet(0xe0 | point >> 12), tail(6), tail(0);
  octet(0xf0 | point >> 18), tail(12), tail(6), tail(0);
}

std::string_view utf8_prefix(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && limit - end < 3 && is_continuation(text[end])) --end;
  // A run of continuation octets that no first octet begins is not UTF-8: cut anywhere.
  if (end > 0 && is_continuation(text[end])) end = limit;
  return text.substr(0, end);
}

}  // namespace postern
