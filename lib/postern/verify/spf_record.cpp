#include <postern/base/text.hpp>
#include <postern/verify/spf_record.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postern::verify {
namespace {

using Mechanism = SpfDirective::Mechanism;

constexpr std::string_view version = "v=spf1";
constexpr std::array<std::string_view, 8> mechanisms = {"all", "include", "a",   "mx",
                                                        "ptr", "ip4",     "ip6", "exists"};

tl::unexpected<Error> wrong(std::string why) { return fail(Errc::malformed, std::move(why)); }

// name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
bool is_modifier_name(std::string_view name) {
  const auto allowed = [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; };
  return !name.empty() && is_alpha(name.front()) && std::all_of(name.begin(), name.end(), allowed);
}

// "0" or a number that does not begin with one.
std::optional<std::uint8_t> prefix_length(std::string_view digits, unsigned most) {
  if (digits.size() > 1 && digits.front() == '0') return {};
  const auto bits = to_number<unsigned>(digits);
  if (!bits || *bits > most) return {};
  return static_cast<std::uint8_t>(*bits);
}

// Takes "/24" or, with `slashes` = "//", "//64" from the end of `text` and puts the number into
// `bits`. False: it is there and no prefix length.
bool take_prefix_length(std::string_view& text, std::string_view slashes, unsigned most,
                        std::uint8_t& bits) {
  const auto last = text.find_last_not_of("0123456789");
  if (last == std::string_view::npos || text[last] != '/') return true;
  const std::string_view digits = text.substr(last + 1);
  std::string_view before = text.substr(0, last + 1);
  if (!before.ends_with(slashes)) return true;
  before.remove_suffix(slashes.size());
  if (before.ends_with('/') && slashes.size() == 1) return true;  // "//64": another's
  const auto length = prefix_length(digits, most);
  if (!length) return false;
  bits = *length;
  text = before;
  return true;
}

// dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]
bool take_dual_length(std::string_view& text, SpfDirective& out) {
  return take_prefix_length(text, "//", 128, out.v6_bits) &&
         take_prefix_length(text, "/", 32, out.v4_bits);
}

Result<void> read_network(std::string_view text, SpfDirective& out) {
  const bool v4 = out.mechanism == Mechanism::ip4;
  std::uint8_t& bits = v4 ? out.v4_bits : out.v6_bits;
  const auto slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto length = prefix_length(text.substr(slash + 1), v4 ? 32 : 128);
    if (!length) return wrong("no prefix length");
    bits = *length;
  }
  const std::string_view address = text.substr(0, slash);
  const auto parsed = IpAddress::parse(address);
  const bool has_colon = address.find(':') != std::string_view::npos;
  if (!parsed || has_colon == v4) return wrong(v4 ? "no IPv4 address" : "no IPv6 address");
  out.network = *parsed;
  return {};
}

Result<void> read_domain(std::string_view text, SpfMacroString& out) {
  auto domain = SpfMacroString::parse(text, SpfMacroString::In::domain_spec);
  if (!domain) return fail(domain.error());
  out = std::move(*domain);
  return {};
}

// What follows a mechanism's name: nothing, ":…", "/…".
Result<void> read_argument(std::string_view rest, SpfDirective& out) {
  const bool has_argument = rest.starts_with(':');
  switch (out.mechanism) {
    case Mechanism::all:
      if (!rest.empty()) return wrong("'all' has no argument");
      return {};
    case Mechanism::ip4:
    case Mechanism::ip6:
      if (!has_argument) return wrong("it wants an address");
      return read_network(rest.substr(1), out);
    case Mechanism::include:
    case Mechanism::exists:
      if (!has_argument) return wrong("it wants a domain");
      return read_domain(rest.substr(1), out.domain);
    case Mechanism::a:
    case Mechanism::mx:
      if (!take_dual_length(rest, out)) return wrong("no prefix length");
      break;
    case Mechanism::ptr:
      break;
  }
  if (rest.empty()) return {};
  if (!has_argument) return wrong("neither a domain nor a prefix length follows");
  return read_domain(rest.substr(1), out.domain);
}

Result<SpfDirective> read_directive(std::string_view term) {
  constexpr std::string_view qualifiers = "+-~?";
  constexpr std::array<SpfResult, 4> results = {SpfResult::pass, SpfResult::fail,
                                                SpfResult::softfail, SpfResult::neutral};
  SpfDirective out;
  if (const auto at = qualifiers.find(term.front()); at != std::string_view::npos) {
    out.qualifier = results[at];
    term.remove_prefix(1);
  }
  const auto end = std::min(term.find_first_of(":/"), term.size());
  const auto same = [&](std::string_view known) { return iequals(known, term.substr(0, end)); };
  const auto found = std::find_if(mechanisms.begin(), mechanisms.end(), same);
  if (found == mechanisms.end()) return wrong("no mechanism has this name");
  out.mechanism = static_cast<Mechanism>(found - mechanisms.begin());
  out.text = term;
  const auto read = read_argument(term.substr(end), out);
  if (!read) return fail(read.error());
  return out;
}

// Section 6: "redirect" and "exp" at most once each.
Result<void> read_modifier(std::string_view modifier, std::string_view value, SpfRecord& out) {
  SpfMacroString* known = nullptr;
  if (iequals(modifier, "redirect")) known = &out.redirect;
  if (iequals(modifier, "exp")) known = &out.explanation;
  if (!known) {
    const auto parsed = SpfMacroString::parse(value, SpfMacroString::In::modifier);
    if (!parsed) return fail(parsed.error());
    return {};
  }
  if (!known->empty()) return wrong("it stands there twice");
  return read_domain(value, *known);
}

Result<void> read_term(std::string_view term, SpfRecord& out) {
  // "=" directly behind a name makes a modifier, whatever follows.
  const auto end = term.find_first_of("=:/");
  if (end != std::string_view::npos && term[end] == '=') {
    if (!is_modifier_name(term.substr(0, end))) return wrong("no modifier has such a name");
    return read_modifier(term.substr(0, end), term.substr(end + 1), out);
  }
  auto directive = read_directive(term);
  if (!directive) return fail(directive.error());
  out.directives.push_back(std::move(*directive));
  return {};
}

}  // namespace

std::string_view name(SpfResult result) {
  constexpr std::array<std::string_view, 7> names = {"none",     "neutral",   "pass",     "fail",
                                                     "softfail", "temperror", "permerror"};
  return names[static_cast<std::size_t>(result)];
}

bool SpfDirective::asks() const {
  return mechanism != Mechanism::all && mechanism != Mechanism::ip4 && mechanism != Mechanism::ip6;
}

bool SpfDirective::covers(const IpAddress& address, const IpAddress& client) const {
  const bool as_v4 = client.is_v4();
  if (mechanism == Mechanism::ip4 && !as_v4) return false;
  if (mechanism == Mechanism::ip6 && as_v4) return false;
  if (mechanism != Mechanism::ip6 && address.is_v4() != as_v4) return false;
  const unsigned bits = as_v4 ? 96u + v4_bits : v6_bits;
  const auto& a = address.octets();
  const auto& b = client.octets();
  const std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin()))
    return false;
  return bits % 8 == 0 || (a[whole] ^ b[whole]) >> (8 - bits % 8) == 0;
}

std::optional<SpfResult> SpfRecord::of_all_others() const {
  for (const SpfDirective& directive : directives)
    if (directive.mechanism == Mechanism::all) return directive.qualifier;
  return {};
}

bool is_spf_record(std::string_view text) {
  return istarts_with(text, version) &&
         (text.size() == version.size() || text[version.size()] == ' ');
}

Result<SpfRecord> parse_spf_record(std::string_view text) {
  if (!is_spf_record(text)) return wrong("it does not begin with v=spf1");
  if (text.size() > max_spf_record_octets) return wrong("it is over 8 KiB");
  text.remove_prefix(version.size());
  SpfRecord record;
  while (!text.empty()) {
    const std::string_view term = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(term.size() + 1, text.size()));
    if (term.empty()) continue;
    const auto read = read_term(term, record);
    if (!read) return wrong(fmt::format("'{}': {}", printable(term, 128), read.error().text));
  }
  return record;
}

}  // namespace postern::verify
