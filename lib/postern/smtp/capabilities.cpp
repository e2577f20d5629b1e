#include <postern/base/text.hpp>
#include <postern/smtp/capabilities.hpp>

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <utility>

namespace postern::smtp {
namespace {

template <typename Flag, std::size_t N>
using Names = std::array<std::pair<std::string_view, Flag>, N>;

constexpr Names<Attribute, 11> attributes = {{
    {"NAME", Attribute::name},
    {"ADDR", Attribute::addr},
    {"PORT", Attribute::port},
    {"PROTO", Attribute::proto},
    {"HELO", Attribute::helo},
    {"LOGIN", Attribute::login},
    {"DESTADDR", Attribute::destaddr},
    {"DESTPORT", Attribute::destport},
    {"REVERSE_NAME", Attribute::reverse_name},
    {"SOURCE", Attribute::source},
    {"IDENT", Attribute::ident},
}};

constexpr Names<AuthMechanism, 8> mechanisms = {{
    {"PLAIN", AuthMechanism::plain},
    {"LOGIN", AuthMechanism::login},
    {"CRAM-MD5", AuthMechanism::cram_md5},
    {"SCRAM-SHA-1", AuthMechanism::scram_sha_1},
    {"SCRAM-SHA-256", AuthMechanism::scram_sha_256},
    {"EXTERNAL", AuthMechanism::external},
    {"XOAUTH2", AuthMechanism::xoauth2},
    {"OAUTHBEARER", AuthMechanism::oauthbearer},
}};

constexpr std::array<std::pair<std::string_view, bool Capabilities::*>, 12> keywords = {{
    {"PIPELINING", &Capabilities::pipelining},
    {"8BITMIME", &Capabilities::eight_bit_mime},
    {"ENHANCEDSTATUSCODES", &Capabilities::enhanced_status_codes},
    {"DSN", &Capabilities::dsn},
    {"SMTPUTF8", &Capabilities::smtputf8},
    {"CHUNKING", &Capabilities::chunking},
    {"BINARYMIME", &Capabilities::binarymime},
    {"STARTTLS", &Capabilities::starttls},
    {"PRDR", &Capabilities::prdr},
    {"REQUIRETLS", &Capabilities::requiretls},
    {"VRFY", &Capabilities::vrfy},
    {"HELP", &Capabilities::help},
}};

// The next word of `text`, cut off; empty at its end.
std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  return word;
}

template <typename Flag, std::size_t N>
Flags<Flag> parse_flags(std::string_view text, const Names<Flag, N>& names) {
  Flags<Flag> flags;
  for (auto word = take_word(text); !word.empty(); word = take_word(text))
    for (const auto& [spelling, flag] : names)
      if (iequals(word, spelling)) flags.add(flag);
  return flags;
}

template <typename Flag, std::size_t N>
void append_flags(std::string& out, std::string_view keyword, Flags<Flag> flags,
                  const Names<Flag, N>& names) {
  if (flags.empty()) return;
  fmt::format_to(std::back_inserter(out), "\n{}", keyword);
  for (const auto& [spelling, flag] : names)
    if (flags.has(flag)) fmt::format_to(std::back_inserter(out), " {}", spelling);
}

template <typename Flag, std::size_t N>
std::string_view find_name(Flag wanted, const Names<Flag, N>& names) {
  for (const auto& [spelling, flag] : names)
    if (flag == wanted) return spelling;
  return {};
}

constexpr std::array<std::pair<std::string_view, std::uint32_t Capabilities::*>, 3> limit_names = {{
    {"MAILMAX", &Capabilities::limit_mail},
    {"RCPTMAX", &Capabilities::limit_rcpt},
    {"RCPTDOMAINMAX", &Capabilities::limit_rcpt_domain},
}};

void parse_limits(std::string_view text, Capabilities& found) {
  for (auto word = take_word(text); !word.empty(); word = take_word(text)) {
    const auto equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const auto value = to_number<std::uint32_t>(word.substr(equals + 1));
    for (const auto& [spelling, member] : limit_names)
      if (value && iequals(word.substr(0, equals), spelling)) found.*member = *value;
  }
}

void parse_keyword(std::string_view line, Capabilities& found) {
  const std::string_view word = take_word(line);
  for (const auto& [spelling, member] : keywords)
    if (iequals(word, spelling)) found.*member = true;
  if (iequals(word, "SIZE")) {
    found.size = true;
    found.size_limit = to_number<std::uint64_t>(trim(line)).value_or(0);
  }
  // "AUTH=LOGIN" is from before RFC 2554, and some still say both.
  if (istarts_with(word, "AUTH=")) found.auth.bits |= parse_flags(word.substr(5), mechanisms).bits;
  if (istarts_with(word, "AUTH=") || iequals(word, "AUTH"))
    found.auth.bits |= parse_flags(line, mechanisms).bits;
  if (iequals(word, "XCLIENT")) found.xclient = parse_flags(line, attributes);
  if (iequals(word, "XFORWARD")) found.xforward = parse_flags(line, attributes);
  if (iequals(word, "LIMITS")) parse_limits(line, found);
}

void append_limits(std::string& out, const Capabilities& offered) {
  bool any = false;
  for (const auto& [spelling, member] : limit_names) {
    if (offered.*member == 0) continue;
    if (!any) out += "\nLIMITS";
    any = true;
    fmt::format_to(std::back_inserter(out), " {}={}", spelling, offered.*member);
  }
}

}  // namespace

Capabilities parse_capabilities(const Reply& ehlo_reply) {
  Capabilities found;
  std::string_view text = ehlo_reply.text();
  if (!ehlo_reply.is_positive()) return found;
  while (true) {
    const auto lf = text.find('\n');
    if (lf == std::string_view::npos) return found;
    text.remove_prefix(lf + 1);
    parse_keyword(text.substr(0, text.find('\n')), found);
  }
}

Reply ehlo_reply(std::string_view hostname, const Capabilities& offered) {
  std::string text;
  text.reserve(256);
  text = hostname;
  for (const auto& [spelling, member] : keywords)
    if (offered.*member) fmt::format_to(std::back_inserter(text), "\n{}", spelling);
  if (offered.size && offered.size_limit == 0)
    text += "\nSIZE";
  else if (offered.size)
    fmt::format_to(std::back_inserter(text), "\nSIZE {}", offered.size_limit);
  append_flags(text, "AUTH", offered.auth, mechanisms);
  append_flags(text, "XCLIENT", offered.xclient, attributes);
  append_flags(text, "XFORWARD", offered.xforward, attributes);
  append_limits(text, offered);
  return {250, std::move(text)};
}

void withhold(Capabilities& offers, std::string_view keyword) {
  for (const auto& [spelling, member] : keywords)
    if (iequals(keyword, spelling)) offers.*member = false;
  if (iequals(keyword, "SIZE")) offers.size = false;
  if (iequals(keyword, "AUTH")) {
    offers.auth = {};
    offers.auth_parameter = false;
  }
}

std::string_view name(Attribute attribute) { return find_name(attribute, attributes); }
std::optional<AuthMechanism> auth_mechanism(std::string_view name) {
  for (const auto& [spelling, flag] : mechanisms)
    if (iequals(name, spelling)) return flag;
  return {};
}

std::string_view name(AuthMechanism mechanism) { return find_name(mechanism, mechanisms); }

}  // namespace postern::smtp
