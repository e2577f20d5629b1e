// Opening connections; `net` implements it on libuv, `testing` with scripted servers.
#pragma once

#include <postern/base/server_address.hpp>
#include <postern/coro/task.hpp>
#include <postern/net/stream.hpp>

namespace postern::net {

class Network {
 public:
  virtual ~Network() = default;
  // Errors: refused, unreachable, timed_out after `limit`, cancelled, descriptors; of a unix socket
  // also not_found and permission.
  virtual coro::Task<Result<StreamPtr>> connect(ServerAddress to, Duration limit) = 0;
};

}  // namespace postern::net
