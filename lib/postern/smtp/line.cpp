#include <postern/smtp/line.hpp>

namespace postern::smtp {

Skipped skip_line(std::string_view input) {
  const auto lf = input.find('\n');
  if (lf == std::string_view::npos) return {input.size(), false};
  return {lf + 1, true};
}

Line take_line(std::string_view input, std::size_t limit) {
  Line line;
  const auto lf = input.substr(0, limit).find('\n');
  if (lf == std::string_view::npos) {
    if (input.size() < limit) return line;
    const Skipped skipped = skip_line(input);
    line.state = Line::State::too_long;
    line.ended = skipped.ended;
    line.consumed = skipped.consumed;
    return line;
  }
  line.state = Line::State::complete;
  line.consumed = lf + 1;
  line.bare_lf = lf == 0 || input[lf - 1] != '\r';
  line.text = input.substr(0, line.bare_lf ? lf : lf - 1);
  line.bare_cr = line.text.find('\r') != std::string_view::npos;
  return line;
}

}  // namespace postern::smtp
