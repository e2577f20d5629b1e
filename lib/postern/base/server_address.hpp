// Where a server is reached: a socket address, or the path of a unix socket.
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

  bool is_local() const { return !path.empty(); }
  std::string text() const { return is_local() ? "unix:" + path : socket.text(); }
  auto operator<=>(const ServerAddress&) const = default;

  SocketAddress socket;
  std::string path;  // of a unix socket; empty: `socket` counts
};

}  // namespace postern
