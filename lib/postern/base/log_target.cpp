#include <postern/base/log_target.hpp>
#include <postern/base/text.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace postern {
namespace {

// Append only, never through a symbolic link, and no terminal becomes ours; a named pipe that
// nobody reads is an error, not a wait for somebody who does.
int open_file(const std::string& path) {
  return ::open(path.c_str(),
                O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK,
                0640);
}

mode_t type_of(int descriptor) {
  struct stat about {};
  return fstat(descriptor, &about) == 0 ? about.st_mode & S_IFMT : 0;
}

}  // namespace

LogTarget::LogTarget(Kind kind, int descriptor, std::string path)
    : kind_(kind), descriptor_(descriptor), path_(std::move(path)) {
  // poll(2) promises room in a pipe for PIPE_BUF octets and no more: the rest might block.
  const mode_t type = type_of(descriptor);
  chunk_octets_ = type == S_IFREG ? max_chunk_octets : PIPE_BUF;
  socket_ = type == S_IFSOCK;
}

LogTarget::LogTarget(LogTarget&& other) noexcept
    : kind_(other.kind_),
      descriptor_(other.descriptor_),
      owned_(std::exchange(other.owned_, false)),
      socket_(other.socket_),
      chunk_octets_(other.chunk_octets_),
      path_(std::move(other.path_)) {}

LogTarget::~LogTarget() {
  if (owned_) ::close(descriptor_);
}

Result<LogTarget> LogTarget::open(std::string_view target) {
  if (target == "stderr") return LogTarget(Kind::standard_error, STDERR_FILENO, {});
  if (target == "journal") return LogTarget(Kind::journal, STDERR_FILENO, {});
  if (target == "syslog") {
    openlog("postern", LOG_PID | LOG_NDELAY, LOG_MAIL);
    return LogTarget(Kind::syslog, -1, {});
  }
  if (!target.starts_with("file:") || target.size() == 5)
    return fail(Errc::malformed, fmt::format("'{}': a log target is \"stderr\", \"file:PATH\", "
                                             "\"syslog\" or \"journal\"",
                                             printable(target, 64)));
  std::string path(target.substr(5));
  const int descriptor = open_file(path);
  if (descriptor < 0) return fail_errno(errno, fmt::format("opening log file {}", path));
  LogTarget opened(Kind::file, descriptor, std::move(path));
  opened.owned_ = true;
  return opened;
}

LogTarget LogTarget::on(int descriptor) { return LogTarget(Kind::standard_error, descriptor, {}); }

// Copies the text of as many whole lines as fit into chunk_; one line longer than that goes alone.
void LogTarget::take_chunk(std::string_view lines) {
  const std::size_t prefix = kind_ == Kind::journal ? 3 : 0;
  chunk_.clear();
  taken_ = written_ = 0;
  while (taken_ < lines.size()) {
    const std::string_view line = lines.substr(taken_, lines.find('\n', taken_) + 1 - taken_);
    if (!chunk_.empty() && chunk_.size() + prefix + line.size() - 1 > chunk_octets_) return;
    if (kind_ == Kind::journal) chunk_.append({'<', line.front(), '>'});
    chunk_ += line.substr(1);
    taken_ += line.size();
  }
}

bool LogTarget::writable_now() const {
  pollfd ready{descriptor_, POLLOUT, 0};
  return socket_ || ::poll(&ready, 1, 0) > 0;  // a socket says itself that it is full
}

std::optional<std::size_t> LogTarget::write_some(std::string_view lines) {
  if (kind_ == Kind::syslog) return write_syslog(lines);
  if (written_ == chunk_.size()) take_chunk(lines);
  const std::string_view rest = std::string_view(chunk_).substr(written_, chunk_octets_);
  failed_ = false;
  if (!writable_now()) return {};
  const ssize_t count =
      socket_ ? ::send(descriptor_, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
              : ::write(descriptor_, rest.data(), rest.size());
  if (count < 0) {
    failed_ = errno != EAGAIN && errno != EINTR;
    return {};
  }
  written_ += static_cast<std::size_t>(count);
  return written_ == chunk_.size() ? taken_ : 0;
}

std::optional<std::size_t> LogTarget::write_syslog(std::string_view lines) {
  const std::size_t end = lines.find('\n');
  ::syslog(lines[0] - '0', "%.*s", static_cast<int>(end - 1), lines.data() + 1);
  return end + 1;
}

void LogTarget::wait_writable(int limit_ms) const {
  pollfd ready{descriptor_, POLLOUT, 0};
  // To poll() a full disk is writable and a reader that is gone is news: no busy loop on those.
  ::poll(&ready, failed_ ? 0 : 1, limit_ms);
}

void LogTarget::reopen() {
  if (kind_ != Kind::file) return;
  const int fresh = open_file(path_);
  if (fresh < 0) return;
  ::dup3(fresh, descriptor_, O_CLOEXEC);
  ::close(fresh);
  if (written_ < chunk_.size())
    written_ = 0;  // what the old file has in part, the new one has whole
}

}  // namespace postern
