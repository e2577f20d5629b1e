// The helper: starts programs for the workers, which start none. It parses what they ask and
// trusts none of it; only what the configuration names is started, without a shell.
#pragma once

#include <postern/deliver/program.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "helper_run.hpp"

namespace postern::daemon {

// Runs until the last worker has closed its end of `requests` and every program has ended. The
// configuration is on standard input. The exit status.
int run_helper(int requests);

class Helper {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t most_runs = 1000;  // of all programs at a time

  Helper(int requests, int signals, std::vector<deliver::ProgramSettings> programs);
  void run();

 private:
  void turn();
  void take_requests();
  void take(std::string_view octets, std::vector<int> descriptors);
  bool is_free(const deliver::ProgramSettings& program) const;
  int wait_ms() const;

  int requests_;  // -1: all workers have gone
  int signals_;   // SIGCHLD
  std::vector<deliver::ProgramSettings> programs_;
  std::vector<std::unique_ptr<HelperRun>> runs_;
};

}  // namespace postern::daemon
