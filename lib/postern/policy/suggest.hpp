// "Did you mean": the likely meaning of a name that does not exist.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::policy {

// Letters to insert, remove, change or swap with their neighbour, letter case and '-' against '_'
// aside (Damerau-Levenshtein, optimal string alignment). Names are cut at 64 octets.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate that is nearest to `name`, when it is near enough to be what was meant: it begins
// with `name`, or at most a third of the letters, and never more than three, differ.
std::optional<std::string> nearest(std::string_view name,
                                   const std::vector<std::string>& candidates);

}  // namespace postern::policy
