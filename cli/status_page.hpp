// `postern status` for people.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace postern::cli {

// The lines of the answer: each worker's, and the master's at last. Whatever is missing in them is
// left out.
std::string status_page(const std::vector<nlohmann::json>& answer);

}  // namespace postern::cli
