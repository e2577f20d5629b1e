#include <postern/base/text.hpp>
#include <postern/smtp/limits.hpp>
#include <postern/smtp/replies.hpp>
#include <postern/smtp/reply_parser.hpp>

#include <algorithm>
#include <optional>

namespace postern::smtp {
namespace {

// One to three digits at the start of `text`, cut off (RFC 3463 section 2).
std::optional<std::uint16_t> take_number(std::string_view& text) {
  std::size_t digits = 0;
  while (digits < text.size() && digits < 4 && is_digit(text[digits])) ++digits;
  if (digits == 0 || digits > 3) return {};
  const auto number = to_number<std::uint16_t>(text.substr(0, digits));
  text.remove_prefix(digits);
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

EnhancedCode take_enhanced_code(int code, std::string_view& text) {
  std::string_view rest = text;
  if (rest.empty() || rest[0] - '0' != code / 100 || code / 100 == 3) return {};
  rest.remove_prefix(1);
  if (!take(rest, '.')) return {};
  const auto subject = take_number(rest);
  if (!subject || !take(rest, '.')) return {};
  const auto detail = take_number(rest);
  if (!detail || (!rest.empty() && !take(rest, ' '))) return {};
  text = rest;
  return {static_cast<std::uint8_t>(code / 100), *subject, *detail};
}

bool ReplyParser::add_line(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() < 3 || ++lines_ > limits::downstream_reply_lines) return false;
  const auto code = to_number<int>(line.substr(0, 3));
  if (!code || *code < 200 || *code > 599 || (lines_ > 1 && *code != code_)) return false;
  line.remove_prefix(3);
  last_ = !line.starts_with('-');
  if (!line.empty() && line[0] != ' ' && line[0] != '-') return false;
  if (!line.empty()) line.remove_prefix(1);

  code_ = *code;
  std::string_view text = line;
  const EnhancedCode enhanced = take_enhanced_code(code_, text);
  if (lines_ == 1)
    enhanced_ = enhanced;
  else
    text_ += '\n';
  // A later line with another code of its own keeps it as text: nothing is lost, and one code
  // leads.
  if (enhanced == enhanced_) line = text;
  for (char c : line) text_ += is_control(c) ? ' ' : c;
  return true;
}

ReplyParser::Fed ReplyParser::feed(std::string_view input) {
  if (state_ == State::malformed) return {0, state_};
  if (state_ == State::done) *this = ReplyParser();
  Fed fed;
  while (state_ == State::need_more && fed.consumed < input.size()) {
    const std::string_view rest = input.substr(fed.consumed);
    const auto lf = rest.find('\n');
    const std::size_t taken = lf == std::string_view::npos ? rest.size() : lf + 1;
    fed.consumed += taken;
    octets_ += taken;
    if (octets_ > limits::downstream_reply_octets) {
      state_ = State::malformed;
      break;
    }
    partial_.append(rest.substr(0, std::min(lf, taken)));
    if (lf == std::string_view::npos) break;
    if (!add_line(partial_))
      state_ = State::malformed;
    else if (last_)
      state_ = State::done;
    partial_.clear();
  }
  fed.state = state_;
  return fed;
}

Reply relayable(const Reply& downstream, ReplyClass due) {
  if (downstream.code() == 421) return replies::downstream_closing();
  const bool is_due =
      downstream.is_transient() || downstream.is_permanent() ||
      (due == ReplyClass::completion ? downstream.is_positive() : downstream.is_intermediate());
  if (!is_due) return replies::downstream_malformed();
  if (downstream.enhanced().present() || downstream.is_intermediate()) return downstream;
  const auto cls = static_cast<std::uint8_t>(downstream.code() / 100);
  return {downstream.code(), {cls, 0, 0}, std::string(downstream.text())};
}

}  // namespace postern::smtp
