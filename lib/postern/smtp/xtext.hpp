// xtext: how DSN, AUTH=, XCLIENT and XFORWARD carry text in a parameter (RFC 3461 section 4).
#pragma once

#include <postern/base/result.hpp>

#include <string>
#include <string_view>

namespace postern::smtp {

// What is not printable ASCII, and "+" and "=", becomes "+" and two hexadecimal digits.
std::string encode_xtext(std::string_view text);

// Errors: malformed, for a broken escape, an octet that must be escaped, and for a control or
// non-ASCII octet behind an escape: "+0A" became a line of a spool file elsewhere (CVE-2020-28021).
Result<std::string> decode_xtext(std::string_view text);

}  // namespace postern::smtp
