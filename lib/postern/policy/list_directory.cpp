#include <postern/policy/list_directory.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

namespace postern::policy {

Result<std::string> names_in_directory(const std::string& path, std::size_t limit) {
  std::vector<std::string> names;
  std::size_t octets = 0;
  std::error_code failure;
  std::filesystem::directory_iterator entry(path, failure);
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    std::string name = entry->path().filename().string();
    if (name.starts_with('.') || name.find('\n') != std::string::npos) continue;
    octets += name.size() + 1;
    if (octets > limit) return fail(Errc::too_long, fmt::format("larger than {} octets", limit));
    names.push_back(std::move(name));
  }
  if (failure) return fail(Errc::io, failure.message());
  std::sort(names.begin(), names.end());
  std::string lines;
  lines.reserve(octets);
  for (const std::string& name : names) lines.append(name).append(1, '\n');
  return lines;
}

}  // namespace postern::policy
