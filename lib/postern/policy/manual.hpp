// The description as text for the manual: what postern.toml(5) says about each key.
#pragma once

#include <postern/policy/schema.hpp>

#include <string>
#include <vector>

namespace postern::policy {

// In scdoc's language: a subsection for the top of the file and for each table.
std::string manual(const Description& description);

// Every key by its path: "hostname", "forward.timeouts.mail", "plugin.domains"; each once.
std::vector<std::string> key_paths(const Description& description);

}  // namespace postern::policy
