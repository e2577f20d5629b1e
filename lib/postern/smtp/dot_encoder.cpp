#include <postern/smtp/dot_codec.hpp>

#include <cstring>

namespace postern::smtp {
namespace {

const char* find(const char* from, const char* end, char octet) {
  const void* found = std::memchr(from, octet, static_cast<std::size_t>(end - from));
  return found ? static_cast<const char*>(found) : end;
}

}  // namespace

void DotEncoder::encode(std::string_view body, std::string& out) {
  if (body.empty()) return;
  const char* at = body.data();
  const char* end = at + body.size();
  if (held_cr_) {
    held_cr_ = false;
    line_start_ = true;
    out += "\r\n";
    if (*at == '\n') ++at;
  }
  const char* run = at;  // from here on not yet appended
  const auto flush = [&](const char* to) { out.append(run, static_cast<std::size_t>(to - run)); };
  const char* lf = find(at, end, '\n');
  while (at != end) {
    if (line_start_ && *at == '.') {
      flush(at);
      out += '.';
      run = at;
    }
    line_start_ = false;
    if (lf < at) lf = find(at, end, '\n');
    const char* cr = find(at, lf, '\r');
    if (cr == end) break;
    if (cr + 1 == end && *cr == '\r') {
      flush(cr);
      held_cr_ = true;
      return;
    }
    line_start_ = true;
    if (cr + 1 == lf) {
      at = lf + 1;
    } else {  // a bare CR, or the bare LF that `cr` then is
      flush(cr);
      out += "\r\n";
      at = run = cr + 1;
    }
  }
  flush(end);
}

void DotEncoder::finish(std::string& out) {
  if (held_cr_ || !line_start_) out += "\r\n";
  out += ".\r\n";
  line_start_ = true;
  held_cr_ = false;
}

}  // namespace postern::smtp
