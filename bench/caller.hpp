// One client of the day: says its turns, and keeps what it hears.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "day.hpp"

namespace postern::bench {

class Caller {
 public:
  enum class State : std::uint8_t {
    talking,
    over,     // all was heard, and the server has closed
    strayed,  // another reply, too many, too few: what was heard so far stands in the visit
  };

  Caller() = default;
  ~Caller() { close(); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  // Begins to connect to 127.0.0.1:`port`; false: it cannot.
  bool begin(Visit& visit, std::uint16_t port);
  // Reads once, and says what is due.
  State advance();
  void close();

  int socket() const { return socket_; }

 private:
  bool hear(std::string_view octets);
  bool hear_line();
  bool say();

  int socket_ = -1;
  Visit* visit_ = nullptr;
  std::size_t heard_ = 0;  // turns that were answered
  std::size_t said_ = 0;   // turns that may be answered
  std::string line_;       // so far
};

}  // namespace postern::bench
