#include <postern/base/text.hpp>
#include <postern/mail/field.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace postern::mail {
namespace {

constexpr std::string_view blanks = " \t";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Controls end lines or fields for somebody, and so do NEL, LINE and PARAGRAPH SEPARATOR.
bool is_harmless(std::string_view text) {
  const auto harmful = [](char c) { return is_control(c) && c != '\t'; };
  if (std::any_of(text.begin(), text.end(), harmful)) return false;
  for (const std::string_view separator : {"\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"})
    if (text.find(separator) != std::string_view::npos) return false;
  return true;
}

// Appends one line's worth of value to `out`, whose current line has `column` octets.
Result<void> append_folded(std::string& out, std::size_t column, std::string_view value) {
  bool has_text = false;
  for (std::size_t at = 0; at < value.size();) {
    const std::size_t word = std::min(value.find_first_not_of(blanks, at), value.size());
    const std::size_t end = std::min(value.find_first_of(blanks, word), value.size());
    const bool foldable = has_text && word > at && word < value.size();
    if (foldable && column + (end - at) > wanted_line_octets) {
      out += "\r\n";
      column = 0;
    }
    out += value.substr(at, end - at);
    column += end - at;
    if (column > max_line_octets) return fail(Errc::too_long, "a line over 998 octets");
    has_text = has_text || end > word;
    at = end;
  }
  return {};
}

// A value that is folded already: each CRLF goes on with a blank and then with text.
Result<void> append_lines(std::string& out, std::size_t column, std::string_view value) {
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t end = std::min(value.find("\r\n", at), value.size());
    const std::string_view line = value.substr(at, end - at);
    if (at > 0 && (line.empty() || !is_blank(line.front()) || trim(line).empty()))
      return fail(Errc::malformed, "a fold must go on with a blank and text");
    if (!is_harmless(line)) return fail(Errc::malformed, "a control in the value");
    if (column + line.size() > max_line_octets)
      return fail(Errc::too_long, "a line over 998 octets");
    if (at > 0) out += "\r\n";
    out += line;
    column = 0;
    at = end + 2;
  }
  return {};
}

}  // namespace

bool is_field_name(std::string_view name) {
  return !name.empty() && name.size() < wanted_line_octets &&
         std::all_of(name.begin(), name.end(), is_ftext);
}

std::string unfold(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  while (!value.empty()) {
    const std::size_t end = value.find("\r\n");
    out += value.substr(0, end);
    if (end == std::string_view::npos) break;
    value.remove_prefix(end + 2);
    if (!value.empty() && !is_blank(value.front())) out += "\r\n";  // no fold
  }
  return out;
}

Result<std::string> make_field(std::string_view name, std::string_view value) {
  if (!is_field_name(name))
    return fail(Errc::malformed,
                fmt::format("'{}' is not the name of a field", printable(name, 64)));
  const bool folded = value.find("\r\n") != std::string_view::npos;
  if (!folded && !is_harmless(value))
    return fail(Errc::malformed, fmt::format("a control in the value of {}", name));
  std::string out(name);
  out += ':';
  if (value.empty() || !is_blank(value.front())) out += ' ';
  const auto added =
      folded ? append_lines(out, out.size(), value) : append_folded(out, out.size(), value);
  if (!added) return fail(added.error());
  out += "\r\n";
  return out;
}

}  // namespace postern::mail
