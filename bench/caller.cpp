#include "caller.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "client.hpp"

namespace postern::bench {

bool Caller::begin(Visit& visit, std::uint16_t port) {
  visit_ = &visit;
  heard_ = 0;
  said_ = 1;  // the greeting comes by itself
  line_.clear();
  socket_ = connect_from(visit.client, port);
  if (socket_ < 0) return false;
  sockaddr_in own{};
  socklen_t length = sizeof own;
  getsockname(socket_, reinterpret_cast<sockaddr*>(&own), &length);
  visit.port = ntohs(own.sin_port);
  return true;
}

void Caller::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

Caller::State Caller::advance() {
  std::array<char, 16 * 1024> buffer;
  const ssize_t count = recv(socket_, buffer.data(), buffer.size(), 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR ? State::talking : State::strayed;
  if (count == 0) {
    visit_->ended = heard_ == visit_->turns.size() && line_.empty();
    return visit_->ended ? State::over : State::strayed;
  }
  if (!hear({buffer.data(), static_cast<std::size_t>(count)})) return State::strayed;
  return heard_ < said_ || heard_ == visit_->turns.size() || say() ? State::talking
                                                                   : State::strayed;
}

bool Caller::hear(std::string_view octets) {
  for (const char octet : octets) {
    line_ += octet;
    if (octet == '\n' && !hear_line()) return false;
  }
  return true;
}

bool Caller::hear_line() {
  std::string line = std::exchange(line_, {});
  if (line.size() < 5 || heard_ == said_) return false;
  if (line[3] == '-') return true;
  Turn& turn = visit_->turns[heard_++];
  turn.heard = line.substr(0, line.size() - 2);
  return std::atoi(turn.heard.c_str()) == turn.code;
}

// A few KiB at most, and they fit into the socket's buffer, which is empty now.
bool Caller::say() {
  std::string octets = visit_->turns[said_++].octets;
  while (said_ < visit_->turns.size() && visit_->turns[said_].pipelined)
    octets += visit_->turns[said_++].octets;
  return send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(octets.size());
}

}  // namespace postern::bench
