// The log of a process: callers append to a bounded queue, one thread writes it out.
//
// So the loop never waits for a blocked pipe or a full disk. While the target takes nothing, lines
// wait in the queue; when that is full they are dropped and counted, and the log says how many as
// soon as there is room again.
#pragma once

#include <postern/base/log.hpp>
#include <postern/base/log_target.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace postern {

class LogWriter final : public Log {
 public:
  // plain: lines as they are given, and nothing else. It is no log then: what is dropped is
  // counted, and whoever asks dropped() tells.
  enum class Format : std::uint8_t { json, text, plain };
  using Clock = std::chrono::system_clock::time_point (*)();

  struct Options {
    Level level = Level::info;
    Format format = Format::json;
    // Told in each message, in this order: {"worker", "1"}, {"generation", "7"}.
    std::vector<std::pair<std::string, std::string>> fields = {};
    std::size_t queue_octets = 4 * 1024 * 1024;
    Clock clock = &std::chrono::system_clock::now;
  };

  // Starts no thread, so that a process may still fork: what is written before start() waits.
  LogWriter(LogTarget target, Options options);
  ~LogWriter() override;  // stop() with one second

  void start();

  void write(Level level, std::string_view message) override;
  void record(std::string_view json_object) override;

  // Has the thread open the log file anew (SIGUSR1, after it was renamed).
  void reopen();

  // Waits until all that was written before is out. False: not within `limit`, or never started.
  bool flush(std::chrono::milliseconds limit);

  // Flushes and ends the thread. What is not out after `limit` is lost; a thread that the kernel
  // holds in a write is left to itself, with all that it touches.
  void stop(std::chrono::milliseconds limit);

  std::uint64_t dropped() const;  // lines, since the beginning

 private:
  class State;  // shared with the thread

  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace postern
