#include "trust.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

namespace postern::daemon {
namespace {

bool others_may_write(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return false;  // told by whoever reads it
  if (S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX)) return false;
  const bool group = (status.st_mode & S_IWGRP) && status.st_gid != 0;
  return group || (status.st_mode & S_IWOTH);
}

}  // namespace

std::vector<std::string> writable_by_others(const policy::Bundle& bundle) {
  std::vector<std::string> lines;
  if (geteuid() != 0) return lines;
  std::set<std::string> seen;
  const auto look = [&](const std::string& path) {
    if (!seen.insert(path).second || !others_may_write(path)) return;
    lines.push_back(fmt::format(
        "{}: others may write to it, and so decide what posternd does as root; chmod go-w {}", path,
        path));
  };
  for (const policy::File& file : bundle.files) {
    if (file.kind == policy::File::Kind::list) continue;
    look(file.path);
    const std::string folder = std::filesystem::path(file.path).parent_path().string();
    look(folder.empty() ? "." : folder);
  }
  return lines;
}

}  // namespace postern::daemon
