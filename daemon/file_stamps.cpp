#include "file_stamps.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace postern::daemon {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

Stamp stamp_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {std::max(nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)), status.st_ino,
          status.st_size};
}

Stamps stamps_of(std::vector<std::string> paths) {
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  Stamps stamps;
  stamps.reserve(paths.size());
  for (std::string& path : paths) {
    const Stamp stamp = stamp_of(path);
    stamps.emplace_back(std::move(path), stamp);
  }
  return stamps;
}

Result<Stamps> stamps_in(const std::string& folder, std::string_view suffix) {
  Stamps stamps;
  std::error_code failure;
  std::filesystem::directory_iterator entry(folder, failure);
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    std::string name = entry->path().filename().string();
    if (name.starts_with('.') || !name.ends_with(suffix)) continue;
    const Stamp stamp = stamp_of(entry->path().string());
    stamps.emplace_back(std::move(name), stamp);
  }
  if (failure && failure != std::errc::no_such_file_or_directory)
    return fail_errno(failure.value(), folder);
  std::sort(stamps.begin(), stamps.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return stamps;
}

Stamps::const_iterator find(const Stamps& stamps, const std::string& name) {
  return std::lower_bound(
      stamps.begin(), stamps.end(), name,
      [](const auto& one, const std::string& wanted) { return one.first < wanted; });
}

bool replace(Stamps& stamps, const std::string& name, const Stamp& stamp) {
  const auto at = stamps.begin() + (find(stamps, name) - stamps.cbegin());
  const bool is_known = at != stamps.end() && at->first == name;
  if (is_known ? at->second == stamp : !stamp.is_there()) return false;
  if (!stamp.is_there())
    stamps.erase(at);
  else if (is_known)
    at->second = stamp;
  else
    stamps.emplace(at, name, stamp);
  return true;
}

std::vector<std::string> differences(const Stamps& before, const Stamps& now) {
  std::vector<std::string> names;
  auto old = before.begin();
  for (const auto& [name, stamp] : now) {
    for (; old != before.end() && old->first < name; ++old) names.push_back(old->first);
    const bool is_known = old != before.end() && old->first == name;
    if (!is_known || old->second != stamp) names.push_back(name);
    if (is_known) ++old;
  }
  for (; old != before.end(); ++old) names.push_back(old->first);
  return names;
}

}  // namespace postern::daemon
