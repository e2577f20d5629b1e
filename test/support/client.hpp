// A client that is no task: a test says what it sends and looks at what came back, step by step, as
// virtual time goes on.
//
//   Client client(world);
//   CHECK(client.hear() == "220");
//   CHECK(client.say("EHLO a.example\r\n") == "250");
#pragma once

#include <string>
#include <string_view>

#include "support/world.hpp"

namespace postern::test {

// The replies in `wire`, one word each: "250 2.1.0", "354", of several lines the last, separated by
// ", ". What is no reply appears as "?".
std::string codes(std::string_view wire);

class Client {
 public:
  explicit Client(World& world, testing::LinkOptions link = {}, bool full = false)
      : world_(world), stream_(world.connect(link, full)) {}

  // As it is: no CRLF is added.
  void send(std::string_view octets) { stream_->write(octets); }
  // What came, once `time` has passed: whole octets, or their codes.
  std::string read(net::Duration time = std::chrono::seconds(1));
  std::string hear(net::Duration time = std::chrono::seconds(1)) { return codes(read(time)); }
  std::string say(std::string_view octets, net::Duration time = std::chrono::seconds(1)) {
    send(octets);
    return hear(time);
  }
  // The session has ended its half, or reset the connection.
  bool ended() const { return !stream_ || stream_->ended(); }

  void half_close() { stream_->end_output(); }
  void close() { stream_.reset(); }
  void reset() { stream_->reset(); }
  void vanish() { testing::MemoryStream::of(*stream_).hang(); }
  net::Stream& stream() { return *stream_; }

 private:
  World& world_;
  net::StreamPtr stream_;
};

}  // namespace postern::test
