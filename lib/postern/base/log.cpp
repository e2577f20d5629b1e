#include <postern/base/log.hpp>

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace postern {
namespace {

constexpr std::array<std::string_view, 5> names{"debug", "info", "notice", "warning", "error"};

}  // namespace

std::string_view name(Level level) { return names[static_cast<std::size_t>(level)]; }

std::optional<Level> level_named(std::string_view wanted) {
  for (std::size_t at = 0; at < names.size(); ++at)
    if (names[at] == wanted) return static_cast<Level>(at);
  return {};
}

void Log::print(Level level, fmt::string_view format, fmt::format_args args) {
  fmt::memory_buffer text;
  fmt::vformat_to(std::back_inserter(text), format, args);
  write(level, std::string_view(text.data(), text.size()));
}

}  // namespace postern
