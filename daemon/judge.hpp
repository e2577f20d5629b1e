// The child that judges a configuration for the master.
#pragma once

#include <postern/base/result.hpp>

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace postern::daemon {

// The master itself parses as little as it can: what a worker will read, this child reads first,
// with the rights that the workers will have.
class Judge {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds time_limit{30};  // host names may have to be looked up

  // Errors: descriptors, io.
  static Result<Judge> start(std::string_view bundle_bytes, TimePoint now);
  Judge(Judge&& other) noexcept;
  Judge& operator=(Judge&&) = delete;
  ~Judge();  // ends the child if it still runs

  TimePoint due() const { return due_; }
  void give_up();  // after `due`: it ends by signal

  // Asks for its end, without waiting.
  bool ended();
  // After that: whether the configuration is usable, and what there is to say about it.
  bool good() const;
  std::vector<std::string> lines() const;

 private:
  Judge(pid_t pid, int output, TimePoint due) : pid_(pid), output_(output), due_(due) {}

  pid_t pid_;   // -1: ended
  int output_;  // a file in memory
  TimePoint due_;
  int status_ = 0;
  bool late_ = false;
};

}  // namespace postern::daemon
