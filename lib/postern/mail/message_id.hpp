// Message-ID, In-Reply-To, References, Content-ID (RFC 5322 section 3.6.4).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

// What stands between angle brackets, octet by octet but for folds; or, when there are none, the
// words themselves, since ids are often written without. At most `limit` are read.
std::vector<std::string> parse_message_ids(std::string_view value, std::size_t limit = 1000);

}  // namespace postern::mail
