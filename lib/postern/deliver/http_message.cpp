#include <postern/base/text.hpp>
#include <postern/deliver/http_message.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace postern::deliver {
namespace {

constexpr std::size_t most_chunk_line = 256;  // its size in hexadecimal digits, and extensions

bool is_token(char c) {
  return is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// The line before the next LF, without its CR; nothing when there is none yet.
std::optional<std::string_view> line_of(std::string_view octets, std::size_t& with_end) {
  const auto lf = octets.find('\n');
  if (lf == std::string_view::npos) return {};
  with_end = lf + 1;
  std::string_view line = octets.substr(0, lf);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// "HTTP/1.1 200 OK"; nothing for what is no status line of ours.
std::optional<int> status_of(std::string_view line) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || !is_digit(line[7]) || line[8] != ' ')
    return {};
  if (line.size() > 12 && line[12] != ' ') return {};
  const auto status = to_number<int>(line.substr(9, 3));
  if (!status || *status < 100 || *status > 599) return {};
  return status;
}

}  // namespace

bool is_http_field(std::string_view field) {
  const auto colon = field.find(':');
  return colon != std::string_view::npos && colon > 0 && field.size() <= 8192 &&
         std::all_of(field.begin(), field.begin() + static_cast<std::ptrdiff_t>(colon), is_token) &&
         std::none_of(field.begin(), field.end(), is_control);
}

std::string encode_http_value(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '%' && c >= ' ' && c < 0x7f)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

HttpReplyParser::State HttpReplyParser::feed(std::string_view octets) {
  if (state_ == State::done || state_ == State::malformed) return state_;
  input_ += octets;
  if (!headed_) state_ = head();
  if (headed_ && state_ != State::malformed) state_ = body();
  return state_;
}

HttpReplyParser::State HttpReplyParser::end() {
  if (!headed_) return state_ = State::malformed;
  if (state_ == State::head) state_ = State::done;  // cut short or not, the status was said
  return state_;
}

HttpReplyParser::State HttpReplyParser::head() {
  std::size_t with_end = 0;
  while (auto line = line_of(input_, with_end)) {
    heads_ += with_end;
    bool good = heads_ <= most_head_octets;
    bool last = false;
    if (status_ == 0) {
      const auto status = status_of(*line);
      good = good && status.has_value();
      status_ = status.value_or(0);
    } else if (line->empty()) {
      last = true;
    } else {
      good = good && take_field(*line);
    }
    input_.erase(0, with_end);
    if (!good) return State::malformed;
    if (!last) continue;
    if (status_ >= 200) {
      headed_ = true;
      return State::head;
    }
    status_ = 0;  // an interim reply
    body_ = Body::until_end;
    left_ = 0;
  }
  return heads_ + input_.size() > most_head_octets ? State::malformed : State::more;
}

// What says how long the body is. Two lengths that differ are somebody's attack.
bool HttpReplyParser::take_field(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view name = line.substr(0, colon), value = trim(line.substr(colon + 1));
  if (iequals(name, "Transfer-Encoding")) {
    if (!iequals(value, "chunked")) return false;  // we ask for no other
    body_ = Body::chunked;
    left_ = 0;
  }
  if (!iequals(name, "Content-Length")) return true;
  const auto length = to_number<std::uint64_t>(value);
  if (body_ == Body::chunked) return length.has_value();  // it means nothing then
  if (!length || (body_ == Body::counted && *length != left_)) return false;
  body_ = Body::counted;
  left_ = *length;
  return true;
}

HttpReplyParser::State HttpReplyParser::body() {
  if (status_ == 204 || status_ == 304) return State::done;
  if (body_ == Body::chunked) return chunks();
  if (body_ == Body::until_end) return take_text(input_.size());
  const auto here = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input_.size()));
  left_ -= here;
  const State state = take_text(here);
  return left_ == 0 ? State::done : state;
}

HttpReplyParser::State HttpReplyParser::chunks() {
  while (true) {
    if (in_chunk_) {
      const auto here = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input_.size()));
      left_ -= here;
      if (take_text(here) == State::done) return State::done;
      if (left_ > 0) return State::head;
      in_chunk_ = false;
      ends_chunk_ = true;
    }
    std::size_t with_end = 0;
    const auto line = line_of(input_, with_end);
    if ((line ? with_end - 1 : input_.size()) > most_chunk_line) return State::malformed;
    if (!line) return State::head;
    if (ends_chunk_) {
      if (!line->empty()) return State::malformed;
      ends_chunk_ = false;
    } else {
      const std::string_view digits = trim(line->substr(0, line->find(';')));
      const auto [stop, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), left_, 16);
      if (digits.empty() || error != std::errc() || stop != digits.data() + digits.size())
        return State::malformed;
      in_chunk_ = left_ > 0;
      if (!in_chunk_) return State::done;  // trailers are of no interest
    }
    input_.erase(0, with_end);
  }
}

HttpReplyParser::State HttpReplyParser::take_text(std::size_t octets) {
  text_.append(input_, 0, std::min(octets, most_text_octets - text_.size()));
  input_.erase(0, octets);
  return text_.size() == most_text_octets ? State::done : State::head;
}

}  // namespace postern::deliver
