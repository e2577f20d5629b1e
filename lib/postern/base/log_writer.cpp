#include <postern/base/json.hpp>
#include <postern/base/log_writer.hpp>
#include <postern/base/text.hpp>
#include <postern/base/timestamp.hpp>

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <syslog.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace postern {
namespace {

using namespace std::chrono_literals;

// After each write lines are gathered for this long, so that a busy worker is not interrupted more
// than a hundred times a second: on its own core each time costs it two context switches. The first
// line after a pause is written at once.
constexpr auto gather = 10ms;
constexpr std::size_t urgent_octets = 256 * 1024;
constexpr int retry_ms = 100;  // how often a full disk or a blocked pipe is tried

char priority(Level level) {
  constexpr std::array<int, 5> of{LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERR};
  return static_cast<char>('0' + of[static_cast<std::size_t>(level)]);
}

bool has_time(LogTarget::Kind kind) {  // syslog and the journal write their own
  return kind == LogTarget::Kind::standard_error || kind == LogTarget::Kind::file;
}

// Records are long and have none: find() looks at many octets at a time.
void blank_newlines(std::string& text, std::size_t from) {
  for (std::size_t at = text.find('\n', from); at != text.npos; at = text.find('\n', at))
    text[at] = ' ';
}

}  // namespace

// All that the thread touches. Callers hold `mutex_` to append a line, the thread to swap a string:
// nobody waits for the target with it.
class LogWriter::State {
 public:
  State(LogTarget target, Options options);

  void append(Level level, std::string_view message);
  void append_record(std::string_view json_object);
  void reopen();
  bool flush(std::chrono::milliseconds limit);
  bool end(std::chrono::milliseconds limit);  // false: the thread is held by the kernel
  std::uint64_t dropped();

  void run();  // the thread

 private:
  bool idle() const { return queue_.empty() && in_flight_ == 0 && dropped_ == told_; }
  void add_message(Level level, std::string_view text);
  void tell_dropped();
  void finish_line(std::size_t begin);
  bool take(std::string& lines);
  void write_out(std::string_view lines);

  const Options options_;
  const bool timed_;
  std::string fields_;         // options_.fields as they stand in each message
  std::string record_fields_;  // ... and at the end of each record

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::string queue_;          // lines as LogTarget takes them
  std::size_t in_flight_ = 0;  // octets that the thread has taken and not yet written
  std::uint64_t dropped_ = 0;  // lines
  std::uint64_t told_ = 0;     // of these, the log says so
  bool waiting_ = false;       // the thread waits for a first line
  bool hurried_ = false;
  bool reopen_ = false;
  bool stop_ = false;   // what is queued is still written
  bool abort_ = false;  // nothing more is
  bool ended_ = false;

  LogTarget target_;  // the thread's
};

LogWriter::State::State(LogTarget target, Options options)
    : options_(std::move(options)), timed_(has_time(target.kind())), target_(std::move(target)) {
  for (const auto& [key, value] : options_.fields) {
    json::append_string(record_fields_ += ',', key);
    json::append_string(record_fields_ += ':', value);
    if (options_.format == Format::json) {
      fields_ = record_fields_;
    } else {
      fields_ += fmt::format(" {}={}", key, printable(value, json::max_value_octets));
    }
  }
}

void LogWriter::State::append(Level level, std::string_view message) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() + in_flight_ < options_.queue_octets / 2) tell_dropped();
  add_message(level, message);
}

void LogWriter::State::append_record(std::string_view json_object) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() + in_flight_ < options_.queue_octets / 2) tell_dropped();
  const std::size_t begin = queue_.size();
  queue_ += priority(Level::info);
  queue_ += json_object;
  if (json_object.size() > 2 && json_object.ends_with('}')) {
    queue_.pop_back();
    (queue_ += record_fields_) += '}';
  }
  // Between tokens, the only place where JSON has a newline, a blank is as good.
  blank_newlines(queue_, begin);
  finish_line(begin);
}

void LogWriter::State::add_message(Level level, std::string_view text) {
  const std::size_t begin = queue_.size();
  queue_ += priority(level);
  if (options_.format == Format::plain) {
    queue_ += text;
    blank_newlines(queue_, begin);
  } else if (options_.format == Format::json) {
    queue_ += R"({"time":")";
    append_timestamp(queue_, options_.clock());
    (queue_ += R"(","level":")") += name(level);
    ((queue_ += '"') += fields_) += R"(,"message":)";
    json::append_string(queue_, text);
    queue_ += '}';
  } else {
    if (timed_) append_timestamp(queue_, options_.clock()), queue_ += ' ';
    ((queue_ += name(level)) += fields_) += ' ';
    queue_ += printable(text, json::max_value_octets);
  }
  finish_line(begin);
}

void LogWriter::State::tell_dropped() {
  if (dropped_ == told_) return;
  const std::uint64_t lines = dropped_ - told_;
  told_ = dropped_;
  if (options_.format == Format::plain) return;
  add_message(Level::warning, fmt::format("{} log lines were dropped: the log target was blocked "
                                          "or full",
                                          lines));
}

// Ends the line that stands in the queue from `begin` on, or drops it.
void LogWriter::State::finish_line(std::size_t begin) {
  queue_ += '\n';
  if (queue_.size() + in_flight_ > options_.queue_octets) {
    queue_.resize(begin);
    ++dropped_;
    return;
  }
  if (waiting_ || queue_.size() > urgent_octets) wake_.notify_one();
  waiting_ = false;
}

void LogWriter::State::reopen() {
  const std::lock_guard lock(mutex_);
  reopen_ = hurried_ = true;
  wake_.notify_one();
}

bool LogWriter::State::flush(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  hurried_ = true;
  wake_.notify_one();
  return done_.wait_for(lock, limit, [this] { return ended_ || idle(); }) && idle();
}

bool LogWriter::State::end(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  stop_ = hurried_ = true;
  wake_.notify_one();
  const auto over = [this] { return ended_; };
  if (done_.wait_for(lock, limit, over)) return true;
  abort_ = true;
  return done_.wait_for(lock, std::chrono::milliseconds(3 * retry_ms), over);
}

std::uint64_t LogWriter::State::dropped() {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

// Waits for lines and takes all of them. False: the end.
bool LogWriter::State::take(std::string& lines) {
  std::unique_lock lock(mutex_);
  in_flight_ = 0;
  if (queue_.empty()) tell_dropped();
  if (queue_.empty()) done_.notify_all();
  wake_.wait_for(lock, gather, [this] { return hurried_ || queue_.size() > urgent_octets; });
  if (queue_.empty()) {
    waiting_ = true;
    wake_.wait(lock, [this] { return !queue_.empty() || stop_ || reopen_; });
    waiting_ = false;
  }
  hurried_ = false;
  if (std::exchange(reopen_, false)) target_.reopen();
  lines.clear();
  lines.swap(queue_);
  in_flight_ = lines.size();
  return !abort_ && !(stop_ && lines.empty());
}

void LogWriter::State::write_out(std::string_view lines) {
  while (!lines.empty()) {
    const auto written = target_.write_some(lines);
    if (!written) target_.wait_writable(retry_ms);
    const std::lock_guard lock(mutex_);
    if (abort_) return;
    if (written) {
      lines.remove_prefix(*written);
      in_flight_ = lines.size();
    }
    if (std::exchange(reopen_, false)) target_.reopen();
  }
}

void LogWriter::State::run() {
  std::string lines;
  while (take(lines)) write_out(lines);
  const std::lock_guard lock(mutex_);
  ended_ = true;
  done_.notify_all();
}

LogWriter::LogWriter(LogTarget target, Options options)
    : Log(options.level), state_(std::make_shared<State>(std::move(target), std::move(options))) {}

LogWriter::~LogWriter() { stop(1s); }

void LogWriter::start() {
  if (thread_.joinable()) return;
  // Signals are for the loop; and a pipe without a reader shall give EPIPE, not SIGPIPE.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([state = state_] { state->run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void LogWriter::stop(std::chrono::milliseconds limit) {
  if (!thread_.joinable()) return;
  if (state_->end(limit))
    thread_.join();
  else
    thread_.detach();  // NOLINT(lint-coroutines): the disk hangs; it shares only state_, and we go
}

void LogWriter::write(Level level, std::string_view message) { state_->append(level, message); }
void LogWriter::record(std::string_view json_object) { state_->append_record(json_object); }
void LogWriter::reopen() { state_->reopen(); }
bool LogWriter::flush(std::chrono::milliseconds limit) { return state_->flush(limit); }
std::uint64_t LogWriter::dropped() const { return state_->dropped(); }

}  // namespace postern
