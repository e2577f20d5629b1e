#include <postern/base/text.hpp>
#include <postern/smtp/xtext.hpp>

namespace postern::smtp {
namespace {

constexpr std::string_view digits = "0123456789ABCDEF";

bool is_xchar(char c) { return c > ' ' && c < 0x7f && c != '+' && c != '='; }

// The RFC has upper case only; lower case is read too, since what it means is not in doubt.
int hex(char c) {
  const auto at = digits.find(ascii_upper(c));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

std::string encode_xtext(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (is_xchar(c)) {
      out += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += '+';
    out += digits[octet >> 4];
    out += digits[octet & 15];
  }
  return out;
}

Result<std::string> decode_xtext(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_xchar(text[at])) {
      out += text[at];
      continue;
    }
    if (text[at] != '+' || text.size() - at < 3) return fail(Errc::malformed, "xtext");
    const int high = hex(text[at + 1]), low = hex(text[at + 2]);
    if (high < 0 || low < 0) return fail(Errc::malformed, "xtext");
    const char c = static_cast<char>(high * 16 + low);
    if (is_control(c) || !is_ascii(c)) return fail(Errc::malformed, "xtext hides a control octet");
    out += c;
    at += 2;
  }
  return out;
}

}  // namespace postern::smtp
