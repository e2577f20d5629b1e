// Where a server is reached: a socket address, or the path of a unix socket; or a program that is
// started for each connection.
#pragma once

#include <postern/base/ip.hpp>

#include <compare>
#include <string>

namespace postern {

struct ServerAddress {
  ServerAddress() = default;
  ServerAddress(const SocketAddress& address) : socket(address) {}  // NOLINT: one is the other
  static ServerAddress local(std::string path) {
    ServerAddress address;
    address.path = std::move(path);
    return address;
  }

  static ServerAddress program(std::string path) {
    ServerAddress address = local(std::move(path));
    address.is_program = true;
    return address;
  }

  bool is_local() const { return !path.empty(); }
  std::string text() const {
    return is_program ? "pipe:" + path : is_local() ? "unix:" + path : socket.text();
  }
  auto operator<=>(const ServerAddress&) const = default;

  SocketAddress socket;
  std::string path;  // of a unix socket or program; empty: `socket` counts
  bool is_program = false;
};

}  // namespace postern
