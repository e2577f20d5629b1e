// The client of a cell: sends two messages, does what the cell says on the way, and keeps what it
// was told.
#pragma once

#include <postern/testing/wire.hpp>

#include <array>
#include <string>
#include <vector>

#include "cell.hpp"

namespace postern::simulation {

// What the client knows of one message. Replies as "250 2.1.5"; empty: none was heard.
struct Told {
  std::string mail;
  std::array<std::string, 3> rcpt;
  std::string data;
  std::string final;
  bool begun = false;     // MAIL was sent
  bool sent_all = false;  // the end of data too
};

extern const std::array<std::string, 3> recipients;  // "a@example.net"
std::string reverse_path(std::size_t message);       // "m0@client.example"
std::string content(const Cell& cell, std::size_t message);

class MatrixClient {
 public:
  static constexpr std::size_t messages = 2;

  MatrixClient(const Cell& cell, net::StreamPtr stream) : cell_(cell), wire_(std::move(stream)) {}

  coro::Task<void> talk();
  const Told& told(std::size_t message) const { return told_.at(message); }
  const std::string& transcript() const { return transcript_; }

 private:
  coro::Task<void> greet();
  coro::Task<void> send_message(std::size_t message);
  coro::Task<void> send_envelope(std::size_t message);
  coro::Task<void> send_group(std::size_t message);
  coro::Task<void> send_content(std::size_t message);
  // Sends and waits for the reply; "" when none came, or the client has gone.
  coro::Task<std::string> step(Step step, std::string octets);
  coro::Task<std::string> hear();
  void send(std::string_view octets);
  bool leave(Step step, bool heard);

  const Cell& cell_;
  testing::Wire wire_;
  std::array<Told, messages> told_;
  std::string transcript_;
  std::size_t message_ = 0;
  bool gone_ = false;   // sends no more, and hears no more unless it only half-closed
  bool ended_ = false;  // the session has ended
};

}  // namespace postern::simulation
