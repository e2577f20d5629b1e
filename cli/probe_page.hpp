// From what a probe found to the lines of a configuration.
#pragma once

#include <string>
#include <vector>

#include "probe.hpp"

namespace postern::cli {

// A line of [forward], and why it is so.
struct Advice {
  std::string line;
  std::string why;
};

std::vector<Advice> advice(const ProbeTarget& target, const ProbeReport& report);
// What else is worth knowing: what the administrator can change at the server.
std::vector<std::string> remarks(const ProbeTarget& target, const ProbeReport& report);

std::string probe_page(const ProbeTarget& target, const ProbeReport& report);
std::string probe_json(const ProbeTarget& target, const ProbeReport& report);

}  // namespace postern::cli
