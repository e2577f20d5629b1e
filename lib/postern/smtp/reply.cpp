#include <postern/base/text.hpp>
#include <postern/smtp/domain.hpp>
#include <postern/smtp/limits.hpp>
#include <postern/smtp/reply.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace postern::smtp {
namespace {

// "250-2.1.0 ", built once; its separator is at 3.
struct Prefix {
  std::array<char, 20> octets{};
  std::size_t size = 0;

  Prefix(int code, EnhancedCode enhanced) {
    add(code, '-');
    if (!enhanced.present()) return;
    add(enhanced.cls, '.');
    add(enhanced.subject, '.');
    add(enhanced.detail, ' ');
  }
  void add(int number, char behind) {  // at most three digits each
    char* end = std::to_chars(octets.data() + size, octets.data() + octets.size(), number).ptr;
    *end = behind;
    size = static_cast<std::size_t>(end - octets.data()) + 1;
  }
  std::string_view view() const { return {octets.data(), size}; }
};

// How much of `line` goes into one reply line: all of it, or up to the last blank in the second
// half, or as much as fits without cutting a UTF-8 sequence.
std::size_t fold_at(std::string_view line, std::size_t room) {
  if (line.size() <= room) return line.size();
  const auto blank = line.rfind(' ', room);
  if (blank != std::string_view::npos && blank > room / 2) return blank;
  std::size_t at = room;
  while (at > room - 4 && (static_cast<unsigned char>(line[at]) & 0xc0) == 0x80) --at;
  return at;
}

void append_clean(std::string& out, std::string_view text, ReplyText allowed) {
  const auto start = static_cast<std::ptrdiff_t>(out.size());
  out += text;
  std::replace_if(out.begin() + start, out.end(), is_control, ' ');
  const std::string_view added = std::string_view(out).substr(out.size() - text.size());
  if (all_ascii(added) || (allowed == ReplyText::utf8 && is_clean_utf8(added))) return;
  std::replace_if(
      out.begin() + start, out.end(), [](char c) { return !is_ascii(c); }, '?');
}

std::string_view text_for_none(int code) {
  return code < 400 ? "OK" : code < 500 ? "Try again later" : "Refused";
}

std::uint16_t checked(int code, EnhancedCode enhanced) {
  const bool right_class = !enhanced.present() || (enhanced.cls == code / 100 && enhanced.cls != 3);
  if (code < 200 || code > 599 || !right_class || enhanced.subject > 999 || enhanced.detail > 999)
    throw std::invalid_argument(fmt::format("reply code {} with {}.{}.{}", code, enhanced.cls,
                                            enhanced.subject, enhanced.detail));
  return static_cast<std::uint16_t>(code);
}

}  // namespace

Reply::Reply(int code, EnhancedCode enhanced, std::string text)
    : code_(checked(code, enhanced)), enhanced_(enhanced), text_(std::move(text)) {}

Reply::Reply(int code, EnhancedCode enhanced, FixedText text)
    : code_(checked(code, enhanced)), enhanced_(enhanced), fixed_(text.view()) {}

void Reply::append_to(std::string& out, ReplyText allowed) const {
  const Prefix prefix(code_, enhanced_);
  const std::size_t room = limits::reply_line_octets - 2 - prefix.size;
  std::string_view rest = text();
  while (rest.ends_with('\n')) rest.remove_suffix(1);
  // A code without text is legal and has crashed clients (CVE-2026-43964): RFC 5321 section 4.2
  // advises text.
  if (rest.empty()) rest = text_for_none(code_);
  std::size_t last = 0;
  for (std::size_t lines = 0; lines < limits::reply_lines; ++lines) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    const std::size_t length = fold_at(line, room);
    last = out.size();
    out += prefix.view();
    append_clean(out, line.substr(0, length), allowed);
    out += "\r\n";
    rest.remove_prefix(length);
    if (rest.empty()) break;
    rest.remove_prefix(rest.front() == '\n' || rest.front() == ' ' ? 1 : 0);
  }
  out[last + 3] = ' ';
}

}  // namespace postern::smtp
