#include <postern/base/text.hpp>
#include <postern/smtp/domain.hpp>
#include <postern/smtp/limits.hpp>
#include <postern/smtp/path.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace postern::smtp {
namespace {

constexpr std::size_t npos = std::string_view::npos;

// atext of RFC 5322 section 3.2.3 with the non-ASCII of RFC 6531 section 3.3.
constexpr auto atext = [] {
  std::array<bool, 256> table{};
  for (unsigned octet = 0; octet < table.size(); ++octet) {
    const char c = static_cast<char>(octet);
    table[octet] =
        is_alnum(c) || !is_ascii(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != npos;
  }
  return table;
}();

bool is_atext(char c) { return atext[static_cast<unsigned char>(c)]; }

std::size_t end_of_dot_string(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && (is_atext(text[at]) || text[at] == '.')) ++at;
  const std::string_view found = text.substr(0, at);
  if (found.starts_with('.') || found.ends_with('.') || found.find("..") != npos) return npos;
  return at;
}

std::size_t end_of_quoted_string(std::string_view text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (is_control(text[at])) return npos;
    if (text[at] != '\\') continue;
    ++at;  // quoted-pairSMTP: printable ASCII only, also under SMTPUTF8
    if (at == text.size() || is_control(text[at]) || !is_ascii(text[at])) return npos;
  }
  return npos;
}

// How many octets the local-part at the start of `text` has; npos where there is none.
std::size_t end_of_local_part(std::string_view text) {
  if (text.empty()) return npos;
  const std::size_t end = text[0] == '"' ? end_of_quoted_string(text) : end_of_dot_string(text);
  return end == 0 ? npos : end;
}

// How many octets the domain or address literal at the start of `text` may have: up to ">" or a
// blank, for an address literal up to "]".
std::size_t end_of_domain(std::string_view text) {
  if (text.starts_with('[')) {
    const auto bracket = text.find(']');
    return bracket == npos ? npos : bracket + 1;
  }
  std::size_t end = 0;
  while (end < text.size() && text[end] != '>' && text[end] != ' ') ++end;
  return end;
}

// "@a,@b:" before a mailbox: read, checked, ignored (RFC 5321 section 4.1.2 and appendix C).
// Returns its length, 0 where there is none.
std::optional<std::size_t> source_route(std::string_view text) {
  std::size_t at = 0;
  if (!text.starts_with('@')) return 0;
  while (true) {
    if (at >= text.size() || text[at] != '@') return {};
    const auto end = text.find_first_of(",:", at + 1);
    if (end == npos || !is_domain(text.substr(at + 1, end - at - 1))) return {};
    at = end + 1;
    if (text[end] == ':') return at;
  }
}

tl::unexpected<Error> malformed() { return fail(Errc::malformed, "path"); }

// Reads a mailbox at the start of `text`, no route, and cuts it off.
Result<Path> take_mailbox(std::string_view& text) {
  const std::size_t at = end_of_local_part(text);
  if (at == npos || at >= text.size() || text[at] != '@') return malformed();
  const std::size_t length = end_of_domain(text.substr(at + 1));
  if (length == npos) return malformed();
  const std::string_view local_part = text.substr(0, at), domain = text.substr(at + 1, length);
  if (local_part.size() > limits::local_part_octets) return fail(Errc::too_long, "local-part");
  if (domain.size() > limits::domain_octets) return fail(Errc::too_long, "domain");
  if (!is_domain(domain) && !is_address_literal(domain)) return malformed();
  if (!all_ascii(local_part) && !is_clean_utf8(local_part)) return malformed();
  const std::string_view whole = text.substr(0, at + 1 + length);
  if (whole.size() + 2 > limits::path_octets) return fail(Errc::too_long, "path");
  Path path{std::string(whole), std::string(local_part), std::string(domain)};
  text.remove_prefix(whole.size());
  return path;
}

// Cuts off the path at the start of `text`, brackets included.
Result<Path> take_path(std::string_view& text, Brackets brackets) {
  const bool open = text.starts_with('<');
  if (!open && brackets == Brackets::required) return malformed();
  const std::string_view all = text;
  if (open) text.remove_prefix(1);
  const auto route = source_route(text);
  if (!route) return malformed();
  text.remove_prefix(*route);
  auto path = take_mailbox(text);
  if (!path) return path;
  if (open) {
    if (!text.starts_with('>')) return malformed();
    text.remove_prefix(1);
  }
  if (all.size() - text.size() > limits::path_octets) return fail(Errc::too_long, "path");
  return path;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!istarts_with(text, prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

Result<PathArgument> with_rest(Path path, std::string_view rest) {
  if (!rest.empty() && rest.front() != ' ') return malformed();
  return PathArgument{std::move(path), trim(rest)};
}

// Cuts off "FROM:" or "TO:" and blanks behind it.
bool take_keyword(std::string_view& argument, std::string_view keyword) {
  if (!take_prefix(argument, keyword)) return false;
  argument = trim(argument);
  return !argument.empty();
}

}  // namespace

bool Path::needs_smtputf8() const { return !all_ascii(text); }

std::string Path::mailbox_key() const {
  std::string key;
  key.reserve(text.size());
  if (local_part.starts_with('"')) {
    for (std::size_t at = 1; at + 1 < local_part.size(); ++at) {
      if (local_part[at] == '\\') ++at;
      key += local_part[at];
    }
  } else {
    key = local_part;
  }
  if (domain.empty()) return key;
  key += '@';
  for (char c : domain) key += ascii_lower(c);
  return key;
}

Result<PathArgument> parse_reverse_path(std::string_view text, Brackets brackets) {
  if (take_prefix(text, "<>")) return with_rest(Path{}, text);
  auto path = take_path(text, brackets);
  if (!path) return fail(path.error());
  return with_rest(std::move(*path), text);
}

Result<PathArgument> parse_forward_path(std::string_view text, Brackets brackets) {
  constexpr std::string_view postmaster = "<postmaster>";
  if (istarts_with(text, postmaster)) {
    std::string name(text.substr(1, postmaster.size() - 2));
    text.remove_prefix(postmaster.size());
    return with_rest(Path{name, name, {}}, text);
  }
  auto path = take_path(text, brackets);
  if (!path) return fail(path.error());
  return with_rest(std::move(*path), text);
}

Result<PathArgument> parse_mail_argument(std::string_view argument, Brackets brackets) {
  if (!take_keyword(argument, "FROM:")) return fail(Errc::not_found, "FROM:<reverse-path>");
  return parse_reverse_path(argument, brackets);
}

Result<PathArgument> parse_rcpt_argument(std::string_view argument, Brackets brackets) {
  if (!take_keyword(argument, "TO:")) return fail(Errc::not_found, "TO:<forward-path>");
  return parse_forward_path(argument, brackets);
}

Result<Path> parse_mailbox(std::string_view text) {
  auto path = take_mailbox(text);
  if (path && !text.empty()) return malformed();
  return path;
}

}  // namespace postern::smtp
