#include <postern/policy/problem.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace postern::policy {

std::string Problem::line() const {
  std::string out = file;
  if (place.line > 0) out += fmt::format(":{}:{}", place.line, place.column);
  if (!key.empty()) out += fmt::format(": {}", key);
  return fmt::format("{}: {}", out, text);
}

void Problems::add(Place place, std::string key, std::string text) {
  if (fatal_++ < most_kept)
    kept_.push_back({place, file_name(place), std::move(key), std::move(text), true});
}

void Problems::note(Place place, std::string key, std::string text) {
  if (notes_++ < most_kept)
    kept_.push_back({place, file_name(place), std::move(key), std::move(text), false});
}

std::vector<Problem> Problems::take() {
  std::stable_sort(kept_.begin(), kept_.end(),
                   [](const Problem& a, const Problem& b) { return a.place < b.place; });
  const auto count_rest = [&](std::size_t seen, bool fatal) {
    if (seen <= most_kept) return;
    kept_.push_back(
        {{}, names_.front(), "", fmt::format("and {} more like these", seen - most_kept), fatal});
  };
  count_rest(notes_, false);
  count_rest(fatal_, true);
  return std::move(kept_);
}

}  // namespace postern::policy
