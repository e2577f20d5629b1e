#include <postern/base/json.hpp>
#include <postern/base/utf8.hpp>

#include <array>
#include <cassert>
#include <charconv>
#include <cmath>

namespace postern::json {
namespace {

// Octets that stand for themselves in a JSON string: printable ASCII but the quote and backslash.
constexpr std::array<bool, 256> plain = [] {
  std::array<bool, 256> table{};
  for (std::size_t octet = 0x20; octet < 0x7f; ++octet) table[octet] = true;
  table['"'] = table['\\'] = false;
  return table;
}();

bool is_plain(char c) { return plain[static_cast<unsigned char>(c)]; }

void append_escape(std::string& out, std::uint32_t point) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (point) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += digits[(point >> shift) & 0xf];
}

// Appends one character that is not plain; returns how many octets it took.
std::size_t append_special(std::string& out, std::string_view rest) {
  const auto decoded = decode_utf8(rest);
  if (!decoded.valid)
    append_escape(out, 0xfffd);
  else if (decoded.point < 0xa0)
    append_escape(out, decoded.point);  // quote, \, C0, DEL, C1
  else
    out += rest.substr(0, decoded.octets);
  return decoded.octets;
}

template <typename Number>
void append_number(std::string& out, Number value) {
  std::array<char, 32> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out.append(buffer.data(), end);
}

}  // namespace

void append_string(std::string& out, std::string_view text, std::size_t limit) {
  const std::string_view kept = utf8_prefix(text, limit);
  out += '"';
  for (std::size_t at = 0; at < kept.size();) {
    std::size_t run = at;
    while (run < kept.size() && is_plain(kept[run])) ++run;
    out += kept.substr(at, run - at);
    at = run;
    if (at < kept.size()) at += append_special(out, kept.substr(at));
  }
  if (kept.size() < text.size()) out += "...";
  out += '"';
}

void Writer::separate() {
  const bool in_object = depth_ > 0 && (arrays_ >> (depth_ - 1) & 1) == 0;
  assert(in_object == keyed_);
  if (!in_object && !first_) out_ += ',';
  first_ = keyed_ = false;
}

Writer& Writer::open(char bracket, bool array) {
  separate();
  assert(depth_ < max_depth);
  const std::uint32_t bit = 1u << depth_++;
  arrays_ = array ? arrays_ | bit : arrays_ & ~bit;
  first_ = true;
  out_ += bracket;
  return *this;
}

Writer& Writer::begin() { return open('{', false); }
Writer& Writer::begin_array() { return open('[', true); }

Writer& Writer::end() {
  assert(depth_ > 0 && !keyed_);
  --depth_;
  out_ += (arrays_ >> depth_ & 1) != 0 ? ']' : '}';
  first_ = false;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  assert(depth_ > 0 && (arrays_ >> (depth_ - 1) & 1) == 0 && !keyed_);
  if (!first_) out_ += ',';
  first_ = false;
  keyed_ = true;
  append_string(out_, name);
  out_ += ':';
  return *this;
}

Writer& Writer::string(std::string_view text, std::size_t limit) {
  separate();
  append_string(out_, text, limit);
  return *this;
}

Writer& Writer::boolean(bool value) { return raw(value ? "true" : "false"); }
Writer& Writer::null() { return raw("null"); }

Writer& Writer::integer(std::int64_t value) {
  separate();
  append_number(out_, value);
  return *this;
}

Writer& Writer::natural(std::uint64_t value) {
  separate();
  append_number(out_, value);
  return *this;
}

Writer& Writer::number(double value) {
  if (!std::isfinite(value)) return null();
  separate();
  append_number(out_, value);
  return *this;
}

Writer& Writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace postern::json
