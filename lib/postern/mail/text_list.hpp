// Fields that are lists of words or phrases: Keywords, Content-Language, Accept-Language (RFC 5322
// section 3.6.5, RFC 3282).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

// The items between commas (those in quoted strings part nothing), decoded as display_text() does;
// empty ones are left out. At most `limit` are read.
std::vector<std::string> parse_text_list(std::string_view value, std::size_t limit = 1000);

}  // namespace postern::mail
