// Opening connections; `net` implements it on libuv, `testing` with scripted servers.
#pragma once

#include <postern/coro/task.hpp>
#include <postern/net/stream.hpp>

namespace postern::net {

class Network {
 public:
  virtual ~Network() = default;
  // Errors: refused, unreachable, timed_out after `limit`, cancelled, descriptors.
  virtual coro::Task<Result<StreamPtr>> connect(SocketAddress to, Duration limit) = 0;
};

}  // namespace postern::net
