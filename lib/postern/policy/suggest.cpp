#include <postern/base/text.hpp>
#include <postern/policy/suggest.hpp>

#include <algorithm>
#include <array>

namespace postern::policy {
namespace {

constexpr std::size_t most_letters = 64;

char folded(char c) { return c == '-' ? '_' : ascii_lower(c); }

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  a = a.substr(0, most_letters);
  b = b.substr(0, most_letters);
  using Row = std::array<std::size_t, most_letters + 1>;
  Row two_back{}, back{}, now{};
  for (std::size_t j = 0; j <= b.size(); ++j) back[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = folded(a[i - 1]) == folded(b[j - 1]);
      now[j] = std::min({back[j] + 1, now[j - 1] + 1, back[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
          folded(a[i - 2]) == folded(b[j - 1]))
        now[j] = std::min(now[j], two_back[j - 2] + 1);
    }
    two_back = back;
    back = now;
  }
  return back[b.size()];
}

std::optional<std::string> nearest(std::string_view name,
                                   const std::vector<std::string>& candidates) {
  std::optional<std::string> best;
  std::size_t least = std::min<std::size_t>(3, std::max<std::size_t>(1, name.size() / 3)) + 1;
  for (const std::string& candidate : candidates) {
    // A word cut short is meant however much was cut.
    const bool is_start = name.size() >= 3 && istarts_with(candidate, name);
    const std::size_t distance = is_start ? 1 : edit_distance(name, candidate);
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

}  // namespace postern::policy
