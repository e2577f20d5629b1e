#include <postern/base/text.hpp>
#include <postern/dns/names.hpp>
#include <postern/verify/spf_macro.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace postern::verify {
namespace {

constexpr std::string_view delimiters = ".-+,/_=";
constexpr std::uint16_t most_parts =
    255;  // no name has more labels; larger numbers are all of them

tl::unexpected<Error> wrong(std::string why) { return fail(Errc::malformed, std::move(why)); }

bool is_literal(char c, SpfMacroString::In in) {
  return (c > ' ' && c <= '~') || (c == ' ' && in == SpfMacroString::In::explanation);
}

bool is_letter(char lowered, SpfMacroString::In in) {
  if (std::string_view("slodiphv").find(lowered) != std::string_view::npos) return true;
  // Section 7.2: only in "exp" text; an unknown modifier's value is nobody's business.
  return in != SpfMacroString::In::domain_spec &&
         std::string_view("crt").find(lowered) != std::string_view::npos;
}

// toplabel = ( *alphanum ALPHA *alphanum ) / ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
bool is_top_label(std::string_view label) {
  if (label.empty() || !is_alnum(label.front()) || !is_alnum(label.back())) return false;
  const auto allowed = [](char c) { return is_alnum(c) || c == '-'; };
  return std::all_of(label.begin(), label.end(), allowed) &&
         !std::all_of(label.begin(), label.end(), is_digit);
}

// Section 7.3: 32 nibbles, as in the RFC's examples in capitals; an IPv4 address as it is.
std::string dotted(const IpAddress& address) {
  if (address.is_v4()) return address.text();
  std::string out;
  for (const std::uint8_t octet : address.octets())
    fmt::format_to(std::back_inserter(out), "{:X}.{:X}.", octet >> 4, octet & 15);
  out.pop_back();
  return out;
}

std::string value_of(char letter, const SpfMacroValues& values) {
  switch (letter) {
    case 's':
      return fmt::format("{}@{}", values.local_part, values.sender_domain);
    case 'l':
      return std::string(values.local_part);
    case 'o':
      return std::string(values.sender_domain);
    case 'd':
      return std::string(values.domain);
    case 'i':
      return dotted(values.client);
    case 'p':
      return std::string(values.validated_name);
    case 'v':
      return values.client.is_v4() ? "in-addr" : "ip6";
    case 'h':
      return std::string(values.helo);
    case 'c':
      return values.client.text();
    case 'r':
      return std::string(values.receiver);
    case 't':
      return std::to_string(values.time.count());
  }
  return {};
}

std::vector<std::string_view> split(std::string_view text, std::string_view at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find_first_of(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// RFC 3986 section 2.3: all but the unreserved.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_alnum(c) || std::string_view("-._~").find(c) != std::string_view::npos)
      out += c;
    else
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace

Result<SpfMacroString> SpfMacroString::parse(std::string_view text, In in) {
  SpfMacroString out;
  while (!text.empty()) {
    const auto percent = text.find('%');
    const std::string_view literal = text.substr(0, percent);
    for (const char c : literal)
      if (!is_literal(c, in))
        return wrong(fmt::format("'{}' may not stand there", printable({&c, 1})));
    out.add_text(literal);
    if (percent == std::string_view::npos) break;
    text.remove_prefix(percent + 1);
    const char what = text.empty() ? '\0' : text.front();
    if (what == '{') {
      const auto end = text.find('}');
      if (end == std::string_view::npos) return wrong("a macro without its '}'");
      auto macro = parse_macro(text.substr(1, end - 1), in);
      if (!macro) return fail(macro.error());
      out.pieces_.push_back(std::move(*macro));
      text.remove_prefix(end + 1);
      continue;
    }
    Piece piece;  // of its own, since a domain-spec may end in it
    if (what == '%')
      piece.text = "%";
    else if (what == '_')
      piece.text = " ";
    else if (what == '-')
      piece.text = "%20";
    else
      return wrong("'%' before something else than '{', '%', '_' or '-'");
    piece.letter = '%';
    out.pieces_.push_back(std::move(piece));
    text.remove_prefix(1);
  }
  if (in == In::domain_spec && !out.ends_as_a_name_does())
    return wrong("no domain: it ends neither in a macro nor in a dot and a top-level domain");
  return out;
}

// macro-letter transformers *delimiter
Result<SpfMacroString::Piece> SpfMacroString::parse_macro(std::string_view inner, In in) {
  Piece piece;
  if (inner.empty()) return wrong("a macro without a letter");
  piece.letter = ascii_lower(inner.front());
  piece.escapes = piece.letter != inner.front();
  if (!is_letter(piece.letter, in))
    return wrong(fmt::format("no macro has the letter '{}' here", printable(inner.substr(0, 1))));
  inner.remove_prefix(1);
  unsigned parts = 0;
  const bool counted = !inner.empty() && is_digit(inner.front());
  for (; !inner.empty() && is_digit(inner.front()); inner.remove_prefix(1))
    parts = std::min<unsigned>(parts * 10 + static_cast<unsigned>(inner.front() - '0'), most_parts);
  if (counted && parts == 0) return wrong("a macro that keeps 0 parts");
  piece.parts = static_cast<std::uint16_t>(parts);
  piece.reversed = !inner.empty() && ascii_lower(inner.front()) == 'r';
  if (piece.reversed) inner.remove_prefix(1);
  if (inner.find_first_not_of(delimiters) != std::string_view::npos)
    return wrong(fmt::format("'{}' is no delimiter in a macro", printable(inner, 32)));
  piece.text = inner;
  return piece;
}

void SpfMacroString::add_text(std::string_view text) {
  if (text.empty()) return;
  Piece piece;
  piece.text = text;
  pieces_.push_back(std::move(piece));
}

// domain-end = ( "." toplabel [ "." ] ) / macro-expand
bool SpfMacroString::ends_as_a_name_does() const {
  if (pieces_.empty()) return false;
  if (pieces_.back().letter != '\0') return true;
  std::string_view text = pieces_.back().text;
  if (text.ends_with('.')) text.remove_suffix(1);
  const auto dot = text.rfind('.');
  return dot != std::string_view::npos && is_top_label(text.substr(dot + 1));
}

bool SpfMacroString::uses_validated_name() const {
  return std::any_of(pieces_.begin(), pieces_.end(),
                     [](const Piece& piece) { return piece.letter == 'p'; });
}

std::string SpfMacroString::expand(const Piece& piece, const SpfMacroValues& values) {
  if (piece.letter == '\0' || piece.letter == '%') return piece.text;
  const std::string value = value_of(piece.letter, values);
  auto parts = split(value, piece.text.empty() ? "." : std::string_view(piece.text));
  if (piece.reversed) std::reverse(parts.begin(), parts.end());
  if (piece.parts > 0 && piece.parts < parts.size())
    parts.erase(parts.begin(), parts.end() - piece.parts);
  const std::string joined = fmt::format("{}", fmt::join(parts, "."));
  return piece.escapes ? escaped(joined) : joined;
}

// From the right, so that a long string costs no more than a name.
std::string SpfMacroString::expand_name(const SpfMacroValues& values) const {
  std::string name;
  bool is_end = true;
  for (auto piece = pieces_.rbegin(); piece != pieces_.rend() && name.size() <= dns::name_octets;
       ++piece) {
    name.insert(0, expand(*piece, values));
    if (is_end && name.ends_with('.')) name.pop_back();
    is_end = is_end && name.empty();
  }
  if (name.size() <= dns::name_octets) return name;
  const auto dot = name.find('.', name.size() - dns::name_octets - 1);
  if (dot != std::string::npos) name.erase(0, dot + 1);
  return name;
}

std::string SpfMacroString::expand_text(const SpfMacroValues& values, std::size_t limit) const {
  std::string text;
  for (const Piece& piece : pieces_) {
    if (text.size() >= limit) break;
    text += expand(piece, values);
  }
  if (text.size() > limit) text.resize(limit);
  return text;
}

}  // namespace postern::verify
