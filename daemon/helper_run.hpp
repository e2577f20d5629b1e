// One program that the helper has started: its process, what it says, how it ends.
#pragma once

#include <postern/deliver/program.hpp>
#include <postern/net/programs.hpp>

#include <poll.h>
#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace postern::daemon {

class HelperRun {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Takes the descriptors, in the order of net/program_request.hpp, and closes them in any case.
  // When the program cannot be started its asker is told so, and there is none.
  static std::unique_ptr<HelperRun> start(const deliver::ProgramSettings& program,
                                          const std::vector<std::string>& arguments,
                                          const std::vector<int>& descriptors);
  // Tells who waits at `end` that nothing was started.
  static void refuse(int end, std::string why);

  HelperRun(const HelperRun&) = delete;
  HelperRun& operator=(const HelperRun&) = delete;
  ~HelperRun();

  const deliver::ProgramSettings& program() const { return program_; }
  // What it says, and whether the worker still waits.
  void watch(std::vector<pollfd>& polled) const;
  void heard(const pollfd& polled);
  TimePoint due() const { return due_; }
  void on_time(TimePoint now);
  // True: it has ended, and the worker has been told.
  bool reap();

 private:
  HelperRun(const deliver::ProgramSettings& program, pid_t pid, int end, int output, int input);
  void given_up();
  void signal(int number) const;
  void read_output();

  const deliver::ProgramSettings& program_;
  pid_t pid_;
  int end_;     // the worker waits here
  int output_;  // what the program writes where nobody else reads it
  int input_;   // the worker's end of its input, so that no end comes by the worker's; or -1
  std::string text_;
  TimePoint due_;
  int next_signal_;
  bool late_ = false;
  bool abandoned_ = false;
};

}  // namespace postern::daemon
