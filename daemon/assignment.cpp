#include "assignment.hpp"

#include <algorithm>
#include <optional>

namespace postern::daemon {
namespace {

std::vector<std::size_t> owners(std::size_t column, std::size_t columns, std::size_t slots) {
  if (slots <= columns) return {column % slots};
  std::vector<std::size_t> own;
  for (std::size_t slot = column; slot < slots; slot += columns) own.push_back(slot);
  return own;
}

std::optional<std::size_t> least_busy(const std::vector<Presence>& slots,
                                      const std::vector<std::size_t>& load) {
  std::optional<std::size_t> best;
  for (std::size_t slot = 0; slot < slots.size(); ++slot)
    if (slots[slot] == Presence::serving && (!best || load[slot] < load[*best])) best = slot;
  return best;
}

}  // namespace

Columns assign(std::size_t columns, const std::vector<Presence>& slots, const Columns& before) {
  Columns now(columns);
  if (slots.empty()) return now;
  std::vector<std::size_t> load(slots.size());
  std::vector<std::size_t> orphans;
  for (std::size_t column = 0; column < columns; ++column) {
    bool blinking = false;
    for (const std::size_t slot : owners(column, columns, slots.size())) {
      if (slots[slot] == Presence::serving) now[column].push_back(slot);
      blinking = blinking || slots[slot] == Presence::blinking;
    }
    for (const std::size_t slot : now[column]) ++load[slot];
    if (now[column].empty() && !blinking) orphans.push_back(column);
  }
  const auto adopt = [&](std::size_t column, std::size_t slot) {
    now[column].push_back(slot);
    ++load[slot];
  };
  // Who already stands in goes on, before the rest is spread.
  std::erase_if(orphans, [&](std::size_t column) {
    if (column >= before.size()) return false;
    for (const std::size_t slot : before[column])
      if (slot < slots.size() && slots[slot] == Presence::serving) {
        adopt(column, slot);
        return true;
      }
    return false;
  });
  for (const std::size_t column : orphans)
    if (const auto slot = least_busy(slots, load)) adopt(column, *slot);
  return now;
}

}  // namespace postern::daemon
