// Judging a configuration: what --check, `postern check` and the master's child do.
#pragma once

#include <postern/policy/load.hpp>

#include <string>

namespace postern::daemon {

// Each prints a line for each problem on standard error and returns the exit status. Started as
// root they judge as the user that the configuration names, which this process then stays.
int check_file(const std::string& path);
int check_standard_input();  // a bundle in its byte form; says nothing about a good one

// All of standard input, at most as long as a bundle. Errors: too_long, io.
Result<std::string> read_standard_input();

}  // namespace postern::daemon
