// Runs one cell and compares what the client was told, what the downstream promised, and what was
// recorded.
#pragma once

#include <string>
#include <vector>

#include "cell.hpp"

namespace postern::simulation {

struct Outcome {
  std::vector<std::string> complaints;  // what does not hold; none: the cell is well
  std::string dialogue;                 // what was said on the client's side, and what was logged
};

Outcome run(const Cell& cell);

}  // namespace postern::simulation
