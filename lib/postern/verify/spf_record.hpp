// SPF records as values (RFC 7208 sections 4.5, 4.6, 5, 6 and 12). Pure.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/verify/spf_macro.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::verify {

// Section 2.6.
enum class SpfResult : std::uint8_t { none, neutral, pass, fail, softfail, temperror, permerror };
std::string_view name(SpfResult result);  // "softfail"

// One mechanism and its qualifier.
struct SpfDirective {
  enum class Mechanism : std::uint8_t { all, include, a, mx, ptr, ip4, ip6, exists };

  Mechanism mechanism = Mechanism::all;
  SpfResult qualifier = SpfResult::pass;  // pass, fail, softfail or neutral
  SpfMacroString domain;                  // empty: the domain whose record it is
  IpAddress network;                      // ip4, ip6
  std::uint8_t v4_bits = 32;              // that count: ip4, a, mx
  std::uint8_t v6_bits = 128;             // ip6, a, mx
  std::string text;                       // as it stands there, without qualifier

  // Whether evaluating it asks the DNS: there may be ten such terms (section 4.6.4).
  bool asks() const;
  // Of ip4, ip6 and of addresses that a, mx found: whether `client` is in the network of `address`.
  // Never across families; an IPv4-mapped client is an IPv4 one (section 5).
  bool covers(const IpAddress& address, const IpAddress& client) const;
};

struct SpfRecord {
  std::vector<SpfDirective> directives;
  SpfMacroString redirect;     // empty: there is none
  SpfMacroString explanation;  // likewise: the name whose TXT record has the text

  // What it says of clients that no mechanism before "all" matches; nothing: it has no "all".
  std::optional<SpfResult> of_all_others() const;
};

// Ours: records that answers over UDP can carry have not a tenth of it (section 3.4).
inline constexpr std::size_t max_spf_record_octets = 8192;

// Whether a TXT record is one: it begins with "v=spf1", and a blank or its end follows.
bool is_spf_record(std::string_view text);

// The whole record: what is wrong in it anywhere is an error (section 4.6), malformed with the term
// and what is wrong with it. Unknown modifiers are read over.
Result<SpfRecord> parse_spf_record(std::string_view text);

}  // namespace postern::verify
