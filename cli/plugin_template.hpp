// The files of `postern plugin new`.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace postern::cli {

// Names and contents; `name` is a good name of a plugin.
std::vector<std::pair<std::string, std::string>> plugin_project(const std::string& name);

}  // namespace postern::cli
