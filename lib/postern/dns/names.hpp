// Names that are asked for and names that come back, as text; and what an answer of a DNS list
// means. Pure.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/dns/answer.hpp>

#include <string_view>

namespace postern::dns {

inline constexpr std::size_t label_octets = 63;  // RFC 1035 section 2.3.4
inline constexpr std::size_t name_octets = 253;  // as text without final dot: 255 on the wire

// "2.0.0.127" for 127.0.0.2, the 32 nibbles for IPv6: to be followed by a list's zone (RFC 5782).
std::string reverse_name(const IpAddress& address);
// The same with in-addr.arpa or ip6.arpa: where PTR records are.
std::string pointer_name(const IpAddress& address);

// A name as it is asked for: lower case, no final dot. Takes blanks and any printable ASCII in
// labels, since names made from local-parts are asked for too. Errors: malformed (empty, an empty
// or long label, too long, another octet).
Result<std::string> query_name(std::string_view name);

// Whether it may be shown as a host's name: labels of letters, digits, hyphens and underscores, of
// 1 to 63 octets, 253 in all; no final dot.
bool is_host_name(std::string_view name);

// Whether a list's answer says that it lists (RFC 5782 section 2.1): not with NXDOMAIN or no data;
// yes with addresses of 127.0.0.0/8. Errors: those of the lookup; malformed when one of the
// addresses says that the list does not work: 127.0.0.1 (never a listing, section 5), one of
// 127.255.255.0/24 (large lists refuse the asking resolver so) or one outside 127.0.0.0/8 (the
// zone has gone, and its new owner answers everything). The text says which.
Result<bool> is_listing(const Result<Answer<IpAddress>>& answer);

}  // namespace postern::dns
