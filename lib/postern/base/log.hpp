// Where messages and decision records go. The loop calls it: no implementation may block.
//
//   log.notice("worker {} is ready", slot);
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace postern {

enum class Level : std::uint8_t { debug, info, notice, warning, error };

std::string_view name(Level level);  // "warning"
std::optional<Level> level_named(std::string_view name);

class Log {
 public:
  explicit Log(Level least = Level::info) : least_(least) {}
  virtual ~Log() = default;
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool enabled(Level level) const { return level >= least_; }

  // One message, whatever octets it holds: it becomes one line. The caller has asked enabled().
  virtual void write(Level level, std::string_view message) = 0;
  // One decision record: a JSON object on one line, written as it is and at every level.
  virtual void record(std::string_view json_object) = 0;

  // Nothing is formatted when the level is not enabled.
  template <typename... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::debug)) print(Level::debug, format, fmt::make_format_args(args...));
  }
  template <typename... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::info)) print(Level::info, format, fmt::make_format_args(args...));
  }
  template <typename... Args>
  void notice(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::notice)) print(Level::notice, format, fmt::make_format_args(args...));
  }
  template <typename... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::warning)) print(Level::warning, format, fmt::make_format_args(args...));
  }
  template <typename... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(Level::error)) print(Level::error, format, fmt::make_format_args(args...));
  }

 private:
  void print(Level level, fmt::string_view format, fmt::format_args args);

  Level least_;
};

}  // namespace postern
