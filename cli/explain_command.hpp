// `postern explain`: which settings hold for a domain or a recipient, and why.
#pragma once

#include <string>

namespace postern::cli {

// Reads the configuration as `postern check` does; whether posternd runs does not matter. `plugin`:
// the one instance that is told of; empty: all. Writes to standard output, complains on standard
// error, and returns the exit status.
int explain(const std::string& configuration, const std::string& subject, const std::string& plugin,
            bool json);

}  // namespace postern::cli
