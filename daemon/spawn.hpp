// Starting ourselves again as a child: fork and exec in one step, so that neither memory nor a
// thread's lock is copied.
#pragma once

#include <postern/base/result.hpp>

#include <sys/types.h>

#include <string>
#include <vector>

namespace postern::daemon {

struct ChildSetup {
  std::vector<std::string> arguments;  // after the program's name
  std::vector<int> inherit;            // under the same numbers; every other descriptor is closed
  int standard_input = -1;             // -1: /dev/null
  int standard_error = -1;             // -1: ours
};

// The child begins with no signal blocked or handled. Errors: descriptors, io.
Result<pid_t> spawn_self(const ChildSetup& setup);

// A file in memory, for what a child shall read from the beginning, or may write.
Result<int> make_memory_file(const char* name, std::string_view content);
std::string read_memory_file(int descriptor, std::size_t limit_octets);

// "status 1", "signal 9 (Killed)"; of what waitpid() gave.
std::string describe_status(int status);

}  // namespace postern::daemon
