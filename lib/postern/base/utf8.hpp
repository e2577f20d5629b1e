// UTF-8 (RFC 3629), one character at a time, for text that may not be UTF-8 at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern {

struct Utf8Character {
  std::uint32_t point;
  std::size_t octets;  // how many were read: at least 1
  bool valid;
};

// The first character of `text`, which is not empty. An over-long form, a surrogate, a value over
// U+10FFFF, a lone or a missing continuation octet is invalid and one octet long, so that whoever
// replaces it goes on with the next octet and loses no ASCII behind it.
Utf8Character decode_utf8(std::string_view text);

// Appends a code point; what is not a Unicode scalar value becomes U+FFFD.
void append_utf8(std::string& out, std::uint32_t point);

// The longest prefix of at most `limit` octets that does not cut a character.
std::string_view utf8_prefix(std::string_view text, std::size_t limit);

}  // namespace postern
