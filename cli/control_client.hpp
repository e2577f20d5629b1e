// The command's end of the control socket.
#pragma once

#include <postern/base/result.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace postern::cli {

// Where posternd listens that runs with this configuration. Errors: the file cannot be read; the
// text is a whole line.
Result<std::string> control_socket(const std::string& configuration);

// Sends a command and gives the lines of the answer, until posternd ends the connection.
// Errors: not_found (nobody listens there), permission, timed_out, ...
Result<std::vector<std::string>> ask(const std::string& socket, const std::string& command,
                                     std::chrono::seconds limit);

}  // namespace postern::cli
