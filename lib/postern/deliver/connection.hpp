// One connection to a downstream: commands out, replies in, each within its time.
#pragma once

#include <postern/base/server_address.hpp>
#include <postern/coro/task.hpp>
#include <postern/deliver/route.hpp>
#include <postern/net/stream.hpp>
#include <postern/smtp/capabilities.hpp>
#include <postern/smtp/reply.hpp>
#include <postern/smtp/reply_parser.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::deliver {

// Counts something for as long as it lives.
class Counted {
 public:
  Counted() = default;
  explicit Counted(std::size_t& count) : count_(&count) { ++count; }
  Counted(Counted&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
  Counted& operator=(Counted&& other) noexcept {
    std::swap(count_, other.count_);
    return *this;
  }
  ~Counted() {
    if (count_) --*count_;
  }

 private:
  std::size_t* count_ = nullptr;
};

class Connection {
 public:
  Connection(net::StreamPtr stream, ServerAddress address)
      : stream_(std::move(stream)), address_(std::move(address)) {}

  net::Stream& stream() { return *stream_; }
  const ServerAddress& address() const { return address_; }

  // Waits for the next reply, at most `limit` in all.
  // Errors: closed, reset, timed_out, cancelled; malformed: not a reply, or over the limits of
  // smtp/limits.hpp. After any of them the connection is of no more use.
  coro::Task<Result<smtp::Reply>> reply(net::Duration limit);
  // Sends one line (with its CRLF) and waits for its reply.
  coro::Task<Result<smtp::Reply>> command(std::string line, net::Duration limit);
  // Sends several and waits for their replies: in one write where the downstream offers PIPELINING;
  // otherwise one by one until one is refused. Nothing follows a 421. So there may be fewer replies
  // than lines.
  coro::Task<Result<std::vector<smtp::Reply>>> commands(std::vector<std::string> lines,
                                                        net::Duration limit);
  // Sends a line now, whose reply the next user reads first: RSET of an abandoned transaction.
  void send_and_forget(std::string_view line);
  // Reads what send_and_forget() left. Errors: also malformed, where more has come than was asked
  // for, so that a reply would be taken for that of another command; a 421 may come at any time.
  coro::Task<Result<void>> settle(net::Duration limit);

  smtp::Capabilities offers;
  std::shared_ptr<const Protection> protection;  // null: none was wanted
  std::size_t messages = 0;                      // handed over on it
  std::size_t refusals = 0;                      // heard since the last message
  bool reused = false;     // it has been kept before: the downstream may have closed it meanwhile
  Counted counted;         // among those open to its server
  net::StreamPtr program;  // how it ends, where the server is a program: see net/programs.hpp

 private:
  net::StreamPtr stream_;
  ServerAddress address_;
  smtp::ReplyParser parser_;
  std::size_t owed_ = 0;  // replies that belong to nobody
};

}  // namespace postern::deliver
