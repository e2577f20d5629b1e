#include "client.hpp"

#include <postern/base/text.hpp>

namespace postern::test {
namespace {

bool is_code(std::string_view line) {
  return line.size() >= 3 && to_number<int>(line.substr(0, 3)).has_value();
}

// "2.1.0" where the text begins with one.
std::string_view enhanced(std::string_view line) {
  if (line.size() < 9) return {};
  const std::string_view word = line.substr(4, line.find(' ', 4) - 4);
  const bool fits = word.size() >= 5 && word[0] == line[0] && word[1] == '.' &&
                    word.find_first_not_of("0123456789.") == std::string_view::npos;
  return fits ? word : std::string_view();
}

}  // namespace

std::string codes(std::string_view wire) {
  std::string out;
  while (!wire.empty()) {
    const auto end = wire.find("\r\n");
    const std::string_view line = wire.substr(0, end);
    wire.remove_prefix(end == std::string_view::npos ? wire.size() : end + 2);
    const bool whole = end != std::string_view::npos && is_code(line);
    if (whole && line.size() > 3 && line[3] == '-') continue;
    if (!out.empty()) out += ", ";
    if (!whole) {
      out += '?';
      continue;
    }
    out += line.substr(0, 3);
    const std::string_view detail = enhanced(line);
    if (!detail.empty()) out.append(" ").append(detail);
  }
  return out;
}

std::string Client::read(net::Duration time) {
  std::string out;
  const auto take = [&] {
    out += stream_->input();
    stream_->consume(stream_->input().size());
  };
  if (!stream_) {
    world_.sim.run_for(time);
    return out;
  }
  take();
  world_.sim.run_for(time);
  while (!stream_->input().empty()) {  // beyond the high-water mark the rest waits in the network
    take();
    world_.sim.run_for(net::Duration::zero());
  }
  return out;
}

}  // namespace postern::test
