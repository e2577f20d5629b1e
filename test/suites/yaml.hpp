// The part of YAML that suites are written in, as JSON: all scalars are strings.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace postern::suites {

// Each document of `text`. Throws std::invalid_argument on what is no YAML, and on anchors.
std::vector<nlohmann::json> parse_yaml(const std::string& text);

}  // namespace postern::suites
