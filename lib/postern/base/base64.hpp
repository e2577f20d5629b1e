// Base64 as protocols have it (RFC 4648 section 4): exact, unlike that of mail bodies.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern {

std::string encode_base64(std::string_view octets);

// Nothing for another character, a wrong or missing padding, or bits behind the last octet: what is
// read can be written in one way only.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace postern
