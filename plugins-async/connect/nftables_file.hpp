// A file for `nft -f`: networks, each with the time that is left to it. It replaces what the sets
// held, in one transaction of the kernel's.
#pragma once

#include <postern/plugin.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <future>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::plugins {

struct Blocked {
  std::string network;  // "192.0.2.0/24"
  std::chrono::seconds left;
};

// The sets NAME_v4 and NAME_v6 of the table `inet postern`; `add` leaves alone what is there.
inline std::string nftables_text(std::string_view name, const std::vector<Blocked>& blocked) {
  std::string text = "add table inet postern\n";
  for (const bool v6 : {false, true}) {
    const std::string set = fmt::format("inet postern {}_{}", name, v6 ? "v6" : "v4");
    text += fmt::format("add set {} {{ type {}; flags interval, timeout; }}\nflush set {}\n", set,
                        v6 ? "ipv6_addr" : "ipv4_addr", set);
    for (const Blocked& each : blocked)
      if ((each.network.find(':') != std::string::npos) == v6)
        text += fmt::format("add element {} {{ {} timeout {}s }}\n", set, each.network,
                            each.left.count());
  }
  return text;
}

// Whoever reads `path` finds the old content or the new one. Returns what went wrong.
inline std::string replace_file(const std::string& path, const std::string& content) {
  const std::string fresh = path + ".new";
  const auto failed = [&](const char* what) {
    return fmt::format("cannot {} {}: {}", what, fresh, std::strerror(errno));
  };
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (fd < 0) return failed("create");
  std::string problem;
  for (std::string_view rest = content; !rest.empty() && problem.empty();) {
    const ssize_t written = write(fd, rest.data(), rest.size());
    if (written >= 0)
      rest.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      problem = failed("write");
  }
  if (problem.empty() && fsync(fd) != 0) problem = failed("write");
  close(fd);
  if (problem.empty() && std::rename(fresh.c_str(), path.c_str()) != 0) problem = failed("rename");
  return problem;
}

// Replaces files in a thread of its own, one at a time.
class FileReplacer {
 public:
  bool busy() const {
    return replacing_.valid() && replacing_.wait_for(0s) != std::future_status::ready;
  }
  // Only when not busy.
  void replace(std::string path, std::string content) {
    replacing_ =
        std::async(std::launch::async, [path = std::move(path), content = std::move(content)] {
          return replace_file(path, content);
        });
  }
  // What went wrong the last time, once.
  std::string problem() { return replacing_.valid() && !busy() ? replacing_.get() : std::string(); }

 private:
  std::future<std::string> replacing_;  // waits for the thread when it goes
};

}  // namespace postern::plugins
