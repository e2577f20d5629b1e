// Starting programs of this machine. A worker starts none: a helper process does, and only those
// that the configuration names. `net` asks it over a socket, `testing` plays programs by script.
#pragma once

#include <postern/coro/task.hpp>
#include <postern/net/stream.hpp>

#include <string>
#include <vector>

namespace postern::net {

// What is to be started, by its name in the configuration, and what it is told. What the words mean
// is the program's manner; whoever starts it trusts none of them.
struct ProgramCall {
  std::string program;
  std::vector<std::string> words;
  // It answers where it is spoken to, as an SMTP server does. Otherwise it reads to the end of
  // `talk`, which only end_output() makes: were it to see an end when we go, it would take half a
  // message for a whole one.
  bool dialogue = false;
  bool second_input = false;
};

// Dropping it gives the program up: it is killed before it sees the end of its input; in a dialogue
// it hears the end first.
struct RunningProgram {
  StreamPtr talk;    // its descriptor 0, and 1 in a dialogue
  StreamPtr second;  // its descriptor 1, as one more input; null without
  StreamPtr end;     // how it ended, for read_program_end()
};

struct ProgramEnd {
  enum class Kind : std::uint8_t {
    exited,
    killed,   // `code` is the signal
    late,     // its time was up
    refused,  // it was not started; `output` says why
  };
  Kind kind = Kind::refused;
  int code = 0;
  std::string output;  // the first octets of what it wrote where it was not read by us
};

class Programs {
 public:
  static constexpr std::size_t most_output_octets = 4096;

  virtual ~Programs() = default;
  // Returns when the program has been asked for; that it did not start is one of its ends.
  // Errors: busy (the helper has not taken the call in time), descriptors, too_long, cancelled.
  virtual coro::Task<Result<RunningProgram>> start(ProgramCall call, Duration limit) = 0;
};

// Waits until the program has ended. Errors: closed, reset (the helper has gone: nobody knows),
// malformed, timed_out, cancelled.
coro::Task<Result<ProgramEnd>> read_program_end(Stream& end, Duration limit);
// What read_program_end() reads; the stream ends after it.
std::string write_program_end(const ProgramEnd& end);
// "status 75: queue file write error"; for the log.
std::string describe(const ProgramEnd& end);

}  // namespace postern::net
