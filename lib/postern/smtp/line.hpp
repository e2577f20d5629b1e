// Cuts lines out of what has been received so far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::smtp {

struct Line {
  enum class State : std::uint8_t {
    complete,   // `text` is a line; go on behind `consumed`
    need_more,  // no line end yet; nothing consumed
    too_long,   // no line end within the limit; what is here of the line is consumed
  };

  State state = State::need_more;
  bool bare_lf = false;  // complete: it ended in LF without CR
  bool bare_cr = false;  // complete: a CR stands inside it
  bool ended = false;    // too_long: its end was in the input; otherwise call skip_line() with more
  std::string_view text;     // without its line end; a view into the input
  std::size_t consumed = 0;  // octets of the input, line end included
};

// The first line of `input`; keeps no state, so it is called again with more input after need_more.
// In: `limit` in octets, line end included. A bare LF ends a command line and is flagged: what to
// do about it is the caller's policy (RFC 5321 section 2.3.8).
Line take_line(std::string_view input, std::size_t limit);

// The rest of a line that was too long: how much of `input` it is, and whether it ends there.
struct Skipped {
  std::size_t consumed = 0;
  bool ended = false;
};
Skipped skip_line(std::string_view input);

}  // namespace postern::smtp
