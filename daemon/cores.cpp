#include "cores.hpp"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string>

namespace postern::daemon {
namespace {

std::size_t affinity() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<std::size_t>(CPU_COUNT(&set));
}

std::string content_of(const std::string& path) {
  const std::ifstream file(path);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// Our cgroup below /sys/fs/cgroup (version 2: the line "0::/PATH"); in a container that is "/".
std::string own_cgroup() {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("0::/")) return line.substr(3);
  return "/";
}

}  // namespace

std::optional<std::size_t> cores_of_quota(std::string_view cpu_max) {
  std::size_t quota = 0, period = 0;
  const char* end = cpu_max.data() + cpu_max.size();
  const auto first = std::from_chars(cpu_max.data(), end, quota);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ') return {};
  const auto second = std::from_chars(first.ptr + 1, end, period);
  if (second.ec != std::errc() || period == 0) return {};
  return std::max<std::size_t>(1, (quota + period - 1) / period);
}

std::size_t usable_cores() {
  std::size_t cores = std::max<std::size_t>(1, affinity());
  std::string group = own_cgroup();
  for (;;) {  // a limit may stand in any group above ours
    if (!group.ends_with('/')) group += '/';
    const auto limit = cores_of_quota(content_of("/sys/fs/cgroup" + group + "cpu.max"));
    if (limit) cores = std::min(cores, *limit);
    if (group == "/") return cores;
    group.pop_back();
    group.resize(group.rfind('/') + 1);
  }
}

}  // namespace postern::daemon
