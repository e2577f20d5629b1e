// One connection of the load generator: a socket and its place in a script.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "scenario.hpp"

namespace postern::bench {

using Clock = std::chrono::steady_clock;

// A socket that is connecting to 127.0.0.1:`port`, from the address `from` of 127.0.0.0/8, in host
// order; below 0: there is no descriptor or port left.
int connect_from(std::uint32_t from, std::uint16_t port);

class Client {
 public:
  enum class State : std::uint8_t {
    talking,
    finished,  // has heard all replies of its script
    closed,    // ... and the server has closed
    failed,    // errno or an unexpected reply
  };

  Client() = default;
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // False: connect_from() failed.
  bool connect(std::uint32_t from, std::uint16_t port, const Script& script);
  // Reads once, and sends the next step when its turn has come.
  State advance();
  void close();

  int socket() const { return socket_; }
  Clock::time_point began() const { return began_; }
  // The server has closed, or speaks, though nothing was asked.
  bool lost() const;

 private:
  bool hear(std::string_view octets);
  State say();

  int socket_ = -1;
  const Script* script_ = nullptr;
  std::size_t step_ = 0;
  std::size_t heard_ = 0;   // replies to this step
  std::size_t column_ = 0;  // in the reply line at hand
  char digit_ = 0;          // its first
  bool last_line_ = false;  // of its reply
  Clock::time_point began_;
};

}  // namespace postern::bench
