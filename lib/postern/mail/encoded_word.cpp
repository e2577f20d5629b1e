#include <postern/base/text.hpp>
#include <postern/base/utf8.hpp>
#include <postern/mail/charset.hpp>
#include <postern/mail/encoded_word.hpp>
#include <postern/mail/lexer.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace postern::mail {
namespace {

constexpr std::size_t max_charset_octets = 64;  // longer is no name that we know

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char l = ascii_lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (is_digit(c)) return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct Word {
  std::string_view charset;
  char encoding;  // 'b' or 'q'
  std::string_view text;
  std::size_t octets;  // the whole word
};

// The encoded word that `text` begins with. The search for its end stops at the next beginning, so
// that a text of nothing but beginnings is read once.
std::optional<Word> read_word(std::string_view text) {
  if (!text.starts_with("=?")) return {};
  const std::string_view label = text.substr(2, max_charset_octets + 4);
  const std::size_t mark = label.find_first_of("? \t\r\n");
  if (mark == std::string_view::npos || mark == 0 || label[mark] != '?') return {};
  if (mark + 2 >= label.size() || label[mark + 2] != '?') return {};
  const char encoding = ascii_lower(label[mark + 1]);
  if (encoding != 'b' && encoding != 'q') return {};
  const std::size_t begin = 2 + mark + 3;
  std::size_t end = begin;
  while (true) {
    end = text.find('?', end);
    if (end == std::string_view::npos || end + 1 == text.size()) return {};
    if (text[end + 1] == '=') break;
    if (end > begin && text[end - 1] == '=') return {};
    ++end;
  }
  const std::string_view charset = label.substr(0, mark);
  return Word{charset.substr(0, charset.find('*')), encoding, text.substr(begin, end - begin),
              end + 2};
}

// "Q" (RFC 2047 section 4.2); a fold inside the word goes with the blanks behind it.
std::string decode_q(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool coded = c == '=' && at + 2 < text.size() && hex_value(text[at + 1]) >= 0 &&
                       hex_value(text[at + 2]) >= 0;
    if (coded) {
      out += static_cast<char>(hex_value(text[at + 1]) << 4 | hex_value(text[at + 2]));
      at += 2;
    } else if (c == '\r' || c == '\n') {
      while (at + 1 < text.size() && is_space(text[at + 1])) ++at;
    } else {
      out += c == '_' ? ' ' : c;
    }
  }
  return out;
}

// Decodes words as they come; adjacent ones of one character set are converted together, for the
// characters that mailers cut in two.
class Decoder {
 public:
  explicit Decoder(bool for_display) : display_(for_display) {}

  std::string run(std::string_view text);

 private:
  bool take_word(std::string_view text, std::size_t& at);
  void take_spaces(std::string_view text, std::size_t& at);
  void take_text(std::string_view text, std::size_t& at);
  void flush();
  void append_decoded(std::string_view text);

  const bool display_;
  CharsetDecoder charsets_;
  std::string out_;
  std::string charset_, octets_;  // of the words that are not converted yet
  std::string spaces_;            // behind them
  bool after_word_ = false;
};

// Nothing that was encoded may act as a control: CR and LF least of all.
void Decoder::append_decoded(std::string_view text) {
  while (!text.empty()) {
    const auto character = decode_utf8(text);
    if (character.point < 0x20 || (character.point >= 0x7f && character.point < 0xa0) ||
        character.point == 0x2028 || character.point == 0x2029)
      out_ += character.point == '\t' ? '\t' : ' ';
    else
      append_utf8(out_, character.point);
    text.remove_prefix(character.octets);
  }
}

void Decoder::flush() {
  if (octets_.empty()) return;
  std::string text;
  charsets_.append(text, charset_, octets_);
  append_decoded(text);
  octets_.clear();
}

bool Decoder::take_word(std::string_view text, std::size_t& at) {
  const auto word = read_word(text.substr(at));
  if (!word || !CharsetDecoder::knows(word->charset)) return false;
  if (!iequals(word->charset, charset_)) flush();
  if (!after_word_ && display_ && !out_.empty() && !is_space(out_.back())) out_ += ' ';
  charset_ = word->charset;
  octets_ += word->encoding == 'b' ? decode_base64(word->text) : decode_q(word->text);
  spaces_.clear();  // RFC 2047 section 6.2: blanks between words are not shown
  after_word_ = true;
  at += word->octets;
  return true;
}

void Decoder::take_spaces(std::string_view text, std::size_t& at) {
  const std::size_t begin = at;
  while (at < text.size() && is_space(text[at])) ++at;
  const std::string_view spaces = text.substr(begin, at - begin);
  const bool fold = spaces.find_first_of("\r\n") != std::string_view::npos;
  std::string& to = after_word_ ? spaces_ : out_;
  if (display_ && fold)
    to += ' ';
  else
    to += spaces;
}

// Ordinary text, up to a space or what may be a word.
void Decoder::take_text(std::string_view text, std::size_t& at) {
  flush();
  if (after_word_ && display_ && spaces_.empty()) out_ += ' ';
  out_ += spaces_;
  spaces_.clear();
  after_word_ = false;
  const std::size_t begin = at++;
  while (at < text.size() && !is_space(text[at]) && !text.substr(at).starts_with("=?")) ++at;
  const std::string_view taken = text.substr(begin, at - begin);
  if (display_)
    append_decoded(taken);
  else
    out_ += taken;
}

std::string Decoder::run(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (is_space(text[at]))
      take_spaces(text, at);
    else if (!take_word(text, at))
      take_text(text, at);
  }
  flush();
  out_ += spaces_;
  return std::move(out_);
}

}  // namespace

std::string display_text(std::string_view text) {
  const std::string shown = Decoder(true).run(text);
  const std::size_t first = std::min(shown.find_first_not_of(" \t"), shown.size());
  return shown.substr(first, shown.find_last_not_of(" \t") + 1 - first);
}

std::string display_phrase(std::string_view text) { return Decoder(true).run(text); }

std::string decode_words(std::string_view text) { return Decoder(false).run(text); }

std::string decode_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (c == '=') count = 0;  // what is left of the group is padding
    if (value < 0) continue;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if ((count += 6) < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  return out;
}

}  // namespace postern::mail
