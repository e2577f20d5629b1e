// Text of foreign character sets as UTF-8.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::mail {

// Converts; keeps a descriptor open for each character set that was asked for, so a field of ten
// thousand encoded words opens it once.
class CharsetDecoder {
 public:
  CharsetDecoder() = default;
  CharsetDecoder(const CharsetDecoder&) = delete;
  CharsetDecoder& operator=(const CharsetDecoder&) = delete;
  ~CharsetDecoder();

  // Whether the name, without case, is one that we convert. The list is fixed: conversions that the
  // C library adds are code that a stranger would choose (CVE-2024-2961 was in ISO-2022-CN-EXT).
  static bool knows(std::string_view charset);

  // Appends `octets` as UTF-8; what the set does not have becomes U+FFFD. False, and nothing is
  // appended, when the set is not known.
  bool append(std::string& out, std::string_view charset, std::string_view octets);

 private:
  void* descriptor(const char* name);

  std::vector<std::pair<const char*, void*>> open_;  // by name as iconv(3) has it
};

}  // namespace postern::mail
