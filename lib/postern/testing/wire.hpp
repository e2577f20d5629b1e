// The octets of a dialogue as a script needs them: lines, replies, a message up to its dot. Written
// apart from `smtp`, so that a mistake there is not made here too.
#pragma once

#include <postern/coro/task.hpp>
#include <postern/net/stream.hpp>

#include <string>
#include <vector>

namespace postern::testing {

using net::Duration;

struct WireReply {
  int code = 0;
  std::vector<std::string> lines;  // without code and CRLF
  std::string text() const;        // the lines, joined by '\n'
};

class Wire {
 public:
  // Longer than any line, reply or message of a test: a script that reads on for ever ends here.
  static constexpr std::size_t most_octets = 256 * 1024 * 1024;

  explicit Wire(net::StreamPtr stream) : stream_(std::move(stream)) {}

  // Errors of all: those of Stream::more(), too_long.
  coro::Task<Result<std::string>> line(Duration limit);  // up to LF; without CRLF or LF
  coro::Task<Result<std::string>> exactly(std::size_t octets, Duration limit);
  // Errors: malformed, with the line.
  coro::Task<Result<WireReply>> reply(Duration limit);
  // As sent, up to CRLF.CRLF, which it takes: neither it nor the last CRLF's dot is in the result.
  coro::Task<Result<std::string>> message(Duration limit);
  // Whatever there is, at least an octet.
  coro::Task<Result<std::string>> some(Duration limit);
  // All until the other side ends, which is not an error.
  coro::Task<Result<std::string>> rest(Duration limit);

  // To be read once more.
  void put_back(std::string_view octets) { input_.insert(0, octets); }

  void send(std::string_view octets) { stream_->write(octets); }
  coro::Task<Result<void>> flush(Duration limit);

  net::Stream& stream() { return *stream_; }
  bool open() const { return stream_ != nullptr; }
  void close() { stream_.reset(); }

 private:
  coro::Task<Result<void>> fill(Duration limit);  // adds to input_
  std::string take(std::size_t octets);

  net::StreamPtr stream_;
  std::string input_;
};

// Takes the dot off each line that begins with one (RFC 5321 section 4.5.2).
std::string unstuff(std::string_view wire);
// Puts it on, and ends with CRLF.CRLF.
std::string stuff(std::string_view content);

}  // namespace postern::testing
