// The helper as the master has it: a process for each generation whose configuration names
// programs, which starts them when workers ask. The socket between them outlives both, so that a
// helper that died is replaced without a word to the workers.
#pragma once

#include <postern/base/result.hpp>

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace postern::daemon {

class HelperLink {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // `bundle`: the configuration's bytes. Errors: descriptors, io.
  static Result<std::unique_ptr<HelperLink>> make(std::uint64_t generation,
                                                  std::string_view bundle);
  HelperLink(const HelperLink&) = delete;
  HelperLink& operator=(const HelperLink&) = delete;
  ~HelperLink();

  // Errors: descriptors, io.
  Result<void> start();
  // From now on nobody can ask it anything but workers that still live; it ends after the last.
  void retire();
  bool retired() const { return workers_end_ < 0; }
  // Whether it has ended since the last call, and how: what waitpid() gave.
  bool ended(int& status);
  void kill() const;

  std::uint64_t generation() const { return generation_; }
  pid_t pid() const { return pid_; }  // -1: none runs
  int workers_end() const { return workers_end_; }

  TimePoint started{};
  TimePoint restart_at = TimePoint::max();
  std::chrono::milliseconds back_off{0};

 private:
  explicit HelperLink(std::uint64_t generation) : generation_(generation) {}

  std::uint64_t generation_;
  int workers_end_ = -1;
  int helpers_end_ = -1;
  int bundle_ = -1;  // a file in memory
  pid_t pid_ = -1;
};

}  // namespace postern::daemon
