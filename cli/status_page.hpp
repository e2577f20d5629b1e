// `postern status` for people.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace postern::cli {

// `master`: the last line of the answer. Whatever is missing in it is left out.
std::string status_page(const nlohmann::json& master);

}  // namespace postern::cli
