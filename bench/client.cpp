#include "client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace postern::bench {
namespace {

sockaddr_in address_of(std::uint32_t host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(host);
  return address;
}

}  // namespace

int connect_from(std::uint32_t from, std::uint16_t port) {
  const int connecting = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (connecting < 0) return -1;
  const int on = 1;
  setsockopt(connecting, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // The port is chosen by connect(), which knows the other end and so has more to choose from.
  setsockopt(connecting, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const sockaddr_in own = address_of(from, 0), to = address_of(INADDR_LOOPBACK, port);
  if (bind(connecting, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0 &&
      (::connect(connecting, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ||
       errno == EINPROGRESS))
    return connecting;
  const int why = errno;
  ::close(connecting);
  errno = why;
  return -1;
}

bool Client::connect(std::uint32_t from, std::uint16_t port, const Script& script) {
  script_ = &script;
  step_ = heard_ = column_ = 0;
  began_ = Clock::now();
  socket_ = connect_from(from, port);
  return socket_ >= 0;
}

void Client::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

Client::State Client::advance() {
  std::array<char, 16 * 1024> buffer;
  const ssize_t count = recv(socket_, buffer.data(), buffer.size(), 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR ? State::talking : State::failed;
  const bool over = step_ == script_->size();
  if (count == 0) return over ? State::closed : State::failed;
  if (over || !hear({buffer.data(), static_cast<std::size_t>(count)})) return State::failed;
  if (heard_ < (*script_)[step_].expected.size()) return State::talking;
  heard_ = 0;
  return ++step_ == script_->size() ? State::finished : say();
}

Client::State Client::say() {
  const std::string& octets = (*script_)[step_].octets;
  // A step is a few KiB and always fits into the socket's buffer, which is empty now.
  const ssize_t sent = send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(octets.size()) ? State::talking : State::failed;
}

// False: more replies than expected, or another one.
bool Client::hear(std::string_view octets) {
  const std::string& expected = (*script_)[step_].expected;
  for (const char octet : octets) {
    if (column_ == 0) digit_ = octet;
    if (column_ == 3) last_line_ = octet != '-';
    ++column_;
    if (octet != '\n') continue;
    column_ = 0;
    if (!last_line_) continue;
    if (heard_ == expected.size() || expected[heard_] != digit_) return false;
    ++heard_;
  }
  return true;
}

bool Client::lost() const {
  char octet = 0;
  return recv(socket_, &octet, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

}  // namespace postern::bench
