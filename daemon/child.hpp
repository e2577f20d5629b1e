// A worker as the master sees it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "protocol.hpp"

namespace postern::daemon {

class Child {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class State : unsigned char {
    starting,
    serving,    // ready: may be given sockets
    leaving,    // drains; serves nothing
    condemned,  // was silent or talked nonsense, and is being killed
  };

  // Starts the process and begins to hand it what it needs. `bundle` is an encoded BundleBytes,
  // shared by all workers of the generation. Errors: descriptors, io.
  static Result<std::unique_ptr<Child>> start(const Hello& hello,
                                              std::shared_ptr<const std::string> bundle,
                                              TimePoint now);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  std::size_t slot() const { return slot_; }
  std::uint64_t generation() const { return generation_; }
  pid_t pid() const { return pid_; }
  std::string describe() const;  // "worker 0 (generation 1, pid 123)"

  // For poll(). The descriptor is -1 once the channel has ended.
  int channel() const { return channel_; }
  short events() const;

  void send(const Message& message);
  void flush();  // what the socket takes now
  // What came in since the last call. Errors: malformed; nothing more is read then.
  Result<std::vector<Message>> receive(TimePoint now);

  void signal(int number) const;

  State state = State::starting;
  TimePoint started;
  TimePoint heard;                   // the last message
  TimePoint due = TimePoint::max();  // when to kill it (again)
  std::set<int> sockets;             // that it was told to serve
  std::size_t row;                   // of the counters
  std::uint64_t lag_us = 0;          // of its last beat
  std::uint64_t sessions = 0;        // likewise
  std::string failure;               // why it could not start, in its own words

 private:
  Child(const Hello& hello, pid_t pid, int channel, TimePoint now);
  void enqueue(std::shared_ptr<const std::string> frame);
  void close_channel();

  std::size_t slot_;
  std::uint64_t generation_;
  pid_t pid_;
  int channel_;
  Decoder decoder_{Decoder::Side::master};
  std::deque<std::shared_ptr<const std::string>> outbox_;
  std::size_t written_ = 0;  // of the first frame
};

}  // namespace postern::daemon
