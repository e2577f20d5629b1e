// Domains and address literals as SMTP writes them (RFC 5321 sections 4.1.2 and 4.1.3).
#pragma once

#include <postern/base/ip.hpp>
#include <postern/base/result.hpp>

#include <optional>
#include <string_view>

namespace postern::smtp {

// A Domain of RFC 5321, with the U-labels of RFC 6531 (valid UTF-8, no C1 controls) and, since
// hosts with such names do send mail, underscores. No trailing dot: the grammar has none.
bool is_domain(std::string_view text);

// "[192.0.2.1]", "[IPv6:2001:db8::1]" or "[tag:content]", brackets included. A tag begins with a
// letter; what stands behind the tag IPv6 must be an IPv6 address.
bool is_address_literal(std::string_view text);

// The address of an IPv4 or IPv6 literal; nothing for other text and other tags.
std::optional<IpAddress> address_of_literal(std::string_view text);

// Valid UTF-8 without controls: neither ASCII's nor C1 (U+0080 to U+009F), which terminals obey as
// well.
bool is_clean_utf8(std::string_view text);

// The argument of HELO and EHLO: a domain or an address literal, returned as written.
// More lenient than is_domain(): hyphens anywhere and one trailing dot, since so many hosts are
// misnamed and refusing them is a plugin's business. Errors: malformed; too_long. Source: RFC 5321
// sections 4.1.1.1 and 4.1.4.
Result<std::string> parse_helo_name(std::string_view argument);

}  // namespace postern::smtp
