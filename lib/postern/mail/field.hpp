// One header field: its name, its folding (RFC 5322 section 2.2).
#pragma once

#include <postern/base/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::mail {

inline constexpr std::size_t wanted_line_octets = 78;  // RFC 5322 section 2.1.1, without CRLF
inline constexpr std::size_t max_line_octets = 998;

// Octets that may stand in a field's name: printable ASCII but the colon (RFC 5322 section 3.6.8).
constexpr bool is_ftext(char c) { return c > 0x20 && c < 0x7f && c != ':'; }
bool is_field_name(std::string_view name);

// Removes the CRLF of each fold (RFC 5322 section 2.2.3) and one at the end.
std::string unfold(std::string_view value);

// "Name: value" with its CRLF. A value without CRLF is folded at its blanks to lines of 78 octets
// where these allow it. Errors: malformed (the name is not ftext; the value has a control, a
// Unicode line separator, a CRLF with no blank or with nothing but blanks behind it); too_long (a
// line over 998 octets that has no blank to be folded at).
Result<std::string> make_field(std::string_view name, std::string_view value);

}  // namespace postern::mail
