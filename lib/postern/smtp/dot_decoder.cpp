#include <postern/smtp/dot_codec.hpp>

#include <algorithm>
#include <cstring>

namespace postern::smtp {
namespace {

const char* find(const char* from, const char* end, char octet) {
  const void* found = std::memchr(from, octet, static_cast<std::size_t>(end - from));
  return found ? static_cast<const char*>(found) : end;
}

std::string_view between(const char* from, const char* to) {
  return {from, static_cast<std::size_t>(to - from)};
}

// 32 octets at a time: -O2 of GCC 12 does not vectorise the plain loop.
bool has_eight_bit(std::string_view text) {
  constexpr std::size_t words = 4;
  const char* at = text.data();
  const char* end = at + text.size();
  std::uint64_t seen = 0, block[words];
  for (; static_cast<std::size_t>(end - at) >= sizeof block; at += sizeof block) {
    std::memcpy(block, at, sizeof block);
    seen |= (block[0] | block[1]) | (block[2] | block[3]);
  }
  unsigned char rest = 0;
  for (; at != end; ++at) rest |= static_cast<unsigned char>(*at);
  return ((seen & 0x8080808080808080u) | (rest & 0x80u)) != 0;
}

}  // namespace

void BodyDecoder::put(std::string_view octets, std::string& out) {
  traits_.octets += octets.size();
  if (traits_.octets <= limit_) out += octets;
}

void BodyDecoder::end_line() {
  traits_.longest_line = std::max(traits_.longest_line, line_octets_);
  line_octets_ = 0;
}

// A held CR turned out to stand alone.
void BodyDecoder::bare_cr(std::string& out) {
  traits_.bare_cr = true;
  if (policy_ == BareNewline::normalize) {
    put("\r\n", out);
    line_octets_ += 2;
    end_line();
  } else {
    put("\r", out);
    line_octets_ += 1;
  }
  place_ = Place::in_line;
}

// One octet behind something that was held back. Leaves it where it is when it belongs to the line.
void BodyDecoder::after_held(const char*& at, std::string& out) {
  switch (place_) {
    case Place::line_start:
      place_ = *at == '.' ? Place::dot : Place::in_line;
      at += *at == '.';
      return;
    case Place::dot:  // stuffed, unless the line holds nothing else
      place_ = *at == '\r' ? Place::dot_cr : Place::in_line;
      at += *at == '\r';
      return;
    case Place::dot_cr:
      if (*at != '\n') return bare_cr(out);
      place_ = Place::done;
      ++at;
      return;
    case Place::cr:
      if (*at != '\n') return bare_cr(out);
      put("\r\n", out);
      line_octets_ += 2;
      end_line();
      place_ = framing_ == Framing::dots ? Place::line_start : Place::in_line;
      ++at;
      return;
    case Place::in_line:
    case Place::done:
      return;
  }
}

// As many lines as need no thought, appended in one piece. Each octet is looked at once for LF and
// once for CR, so that no choice of octets makes this more than linear.
void BodyDecoder::read_lines(const char*& at, const char* end, std::string& out) {
  const char* run = at;   // from here on not yet appended
  const char* mark = at;  // from here on not yet counted in line_octets_
  const char* lf = find(at, end, '\n');
  while (place_ == Place::in_line && at != end) {
    if (lf < at) lf = find(at, end, '\n');
    const char* cr = find(at, lf, '\r');
    if (cr == lf && lf == end) {
      at = end;
    } else if (cr != lf && cr + 1 == end) {  // what it is depends on the next piece
      put(between(run, cr), out);
      line_octets_ += static_cast<std::uint64_t>(cr - mark);
      place_ = Place::cr;
      at = run = mark = end;
    } else if (cr + 1 == lf) {
      at = lf + 1;
      line_octets_ += static_cast<std::uint64_t>(at - mark);
      mark = at;
      end_line();
      if (framing_ == Framing::dots && (at == end || *at == '.')) place_ = Place::line_start;
    } else {  // a bare one: CR where there is one before the LF
      (cr == lf ? traits_.bare_lf : traits_.bare_cr) = true;
      at = cr + 1;
      if (policy_ == BareNewline::reject) continue;
      put(between(run, cr), out);
      put("\r\n", out);
      line_octets_ += static_cast<std::uint64_t>(cr - mark) + 2;
      run = mark = at;
      end_line();
    }
  }
  put(between(run, at), out);
  line_octets_ += static_cast<std::uint64_t>(at - mark);
}

BodyDecoder::State BodyDecoder::feed(std::string_view in, std::string& out) {
  const char* at = in.data();
  const char* end = at + in.size();
  if (framing_ == Framing::octets) {
    put(in, out);
    at = end;
  }
  while (at != end && place_ != Place::done) {
    if (place_ == Place::in_line)
      read_lines(at, end, out);
    else
      after_held(at, out);
  }
  consumed_ = static_cast<std::size_t>(at - in.data());
  const std::string_view taken = in.substr(0, consumed_);
  if (!traits_.eight_bit) traits_.eight_bit = has_eight_bit(taken);
  if (!traits_.nul) traits_.nul = taken.find('\0') != std::string_view::npos;
  if (place_ != Place::done) return State::more;
  end_line();
  return State::done;
}

void BodyDecoder::finish(std::string& out) {
  if (place_ == Place::cr) bare_cr(out);
  end_line();
  place_ = Place::done;
}

}  // namespace postern::smtp
