// Where log lines end: standard error, a file, or syslog. Used by the one thread of a LogWriter.
#pragma once

#include <postern/base/result.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

// What `[log] target` says: "stderr", "file:PATH", "syslog", or "journal" (standard error with the
// priority of each line before it, sd-daemon(3)).
class LogTarget {
 public:
  enum class Kind : unsigned char { standard_error, journal, file, syslog };

  static Result<LogTarget> open(std::string_view target);
  // Writes to a descriptor, which stays the caller's. For tests, and for a target opened elsewhere.
  static LogTarget on(int descriptor);
  LogTarget(LogTarget&& other) noexcept;
  LogTarget& operator=(LogTarget&&) = delete;
  ~LogTarget();

  Kind kind() const { return kind_; }

  // Writes some of `lines`: each is a digit, the syslog(3) priority, then its text, then LF.
  // Returns how many octets of `lines` are done with, whole lines; call again with the rest, whose
  // beginning must not have changed. 0 is progress inside a line. Nothing: wait_writable() first.
  // It blocks only where the kernel gives no other way.
  std::optional<std::size_t> write_some(std::string_view lines);

  // Waits until write_some() may do more, at most `limit_ms`.
  void wait_writable(int limit_ms) const;

  // Opens the file anew (it was renamed away). When that fails the old one stays in use.
  void reopen();

  static constexpr std::size_t max_chunk_octets = 64 * 1024;

 private:
  LogTarget(Kind kind, int descriptor, std::string path);
  std::optional<std::size_t> write_syslog(std::string_view lines);
  void take_chunk(std::string_view lines);
  bool writable_now() const;

  Kind kind_;
  int descriptor_;  // -1: syslog
  bool owned_ = false;
  bool socket_ = false;
  bool failed_ = false;  // the last write said why: ENOSPC, EPIPE, ...
  std::size_t chunk_octets_;
  std::string path_;
  std::string chunk_;        // the next octets to go out, without the priority digits
  std::size_t written_ = 0;  // of chunk_, after a short write
  std::size_t taken_ = 0;    // what chunk_ took from the beginning of `lines`
};

}  // namespace postern
