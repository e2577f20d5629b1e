// When a socket that belongs to a library (c-ares) can be read from or written to.
#pragma once

#include <postern/base/result.hpp>
#include <postern/net/loop.hpp>

#include <memory>

namespace postern::net {

class SocketOwner {
 public:
  // After an error both are true: trying tells which it is. May destroy the watch.
  virtual void socket_ready(int socket, bool readable, bool writable) = 0;

 protected:
  ~SocketOwner() = default;
};

class SocketWatch {
 public:
  // The socket becomes non-blocking and stays the library's. Errors: exists (it is watched
  // already), io.
  static Result<std::unique_ptr<SocketWatch>> open(Loop& loop, int socket, SocketOwner& owner);
  // Nothing is heard afterwards, and the socket may be closed and its number used again at once.
  virtual ~SocketWatch() = default;
  virtual void want(bool readable, bool writable) = 0;  // at first: neither
};

}  // namespace postern::net
