// A client for tests of our server side: sends what the test says, checks what comes back.
//
//   auto [theirs, ours] = make_stream_pair(sim);
//   ScriptedClient client(std::move(theirs));
//   co_await client.expect(220);
//   co_await client.command("EHLO client.example", 250);
//   client.vanish();
#pragma once

#include <postern/testing/wire.hpp>

#include <stdexcept>

namespace postern::testing {

// The other side did not do what the script says; the text ends with the dialogue so far.
class ScriptFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ScriptedClient {
 public:
  // `limit`: how long to wait for each reply.
  explicit ScriptedClient(net::StreamPtr stream, Duration limit = std::chrono::minutes(10))
      : wire_(std::move(stream)), limit_(limit) {}

  // As it is: no CRLF is added.
  void send(std::string_view octets);
  // Waits for a whole reply. Throws ScriptFailed when it has another code, or does not come.
  coro::Task<WireReply> expect(int code);
  coro::Task<WireReply> command(std::string line, int code);  // adds CRLF
  // Stuffs the content, sends it with its end, and waits for the final reply.
  coro::Task<WireReply> message(std::string content, int code);
  // Waits for the next reply, whatever it is. Errors: those of Wire::reply().
  coro::Task<Result<WireReply>> reply();
  // Waits for the other side to end: what still came, or the error.
  coro::Task<Result<std::string>> until_end();

  void half_close() { wire_.stream().end_output(); }
  void reset() { wire_.stream().reset(); }
  void close() { wire_.close(); }
  // As when its power fails: no octet, no end reaches the other side any more.
  void vanish();

  // "C: " and "S: " lines; controls in \xHH.
  const std::string& transcript() const { return transcript_; }

 private:
  Wire wire_;
  Duration limit_;
  std::string transcript_;
};

}  // namespace postern::testing
