#include "judge.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "spawn.hpp"

namespace postern::daemon {
namespace {

constexpr std::size_t max_output_octets = 256 * 1024;

}  // namespace

Result<Judge> Judge::start(std::string_view bundle_bytes, TimePoint now) {
  auto input = make_memory_file("postern-bundle", bundle_bytes);
  if (!input) return fail(input.error());
  auto output = make_memory_file("postern-check", {});
  if (!output) {
    close(*input);
    return fail(output.error());
  }
  auto pid = spawn_self({{"--check", "-"}, {}, *input, *output});
  close(*input);
  if (!pid) {
    close(*output);
    return fail(pid.error());
  }
  return Judge(*pid, *output, now + time_limit);
}

Judge::Judge(Judge&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      output_(std::exchange(other.output_, -1)),
      due_(other.due_),
      status_(other.status_),
      late_(other.late_) {}

Judge::~Judge() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  if (output_ >= 0) close(output_);
}

void Judge::give_up() {
  late_ = true;
  due_ = TimePoint::max();
  if (pid_ > 0) kill(pid_, SIGKILL);
}

bool Judge::ended() {
  if (pid_ > 0 && waitpid(pid_, &status_, WNOHANG) != 0) pid_ = -1;
  return pid_ < 0;
}

bool Judge::good() const { return WIFEXITED(status_) && WEXITSTATUS(status_) == 0; }

std::vector<std::string> Judge::lines() const {
  std::vector<std::string> lines;
  const std::string output = read_memory_file(output_, max_output_octets);
  for (std::size_t begin = 0; begin < output.size();) {
    const std::size_t end = std::min(output.find('\n', begin), output.size());
    lines.push_back(output.substr(begin, end - begin));
    begin = end + 1;
  }
  if (late_)
    lines.push_back(
        fmt::format("checking the configuration took more than {} s: does a host name in "
                    "forward.to not resolve? Write its address",
                    time_limit.count()));
  else if (lines.empty() && !good())
    lines.push_back(
        fmt::format("checking the configuration ended with {}", describe_status(status_)));
  return lines;
}

}  // namespace postern::daemon
