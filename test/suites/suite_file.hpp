// Finds the files of the third-party suites.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::suites {

// The content of "smuggling/end-of-data.json". Where it is absent, says so on standard output.
std::optional<std::string> suite_file(std::string_view name);
// Where it is, for a library that reads files itself.
std::optional<std::string> suite_path(std::string_view name);

}  // namespace postern::suites
