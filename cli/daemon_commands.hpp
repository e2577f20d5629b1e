// The commands that talk to the daemon. Each returns the exit status: 0 done (and healthy), 1 not,
// 3 no posternd runs with that configuration.
#pragma once

#include <string>

namespace postern::cli {

int status(const std::string& configuration, bool json);
int reload(const std::string& configuration, bool json);
int stop(const std::string& configuration);

}  // namespace postern::cli
