// Connections to programs that a plugin asks: unix sockets and TCP.
//
//   auto* network = services().find<Network>("postern");
//   auto stream = co_await network->connect(ServerAddress::local(path), 100ms);
#pragma once

#include <postern/net/network.hpp>
#include <postern/plugin/services.hpp>

namespace postern::plugin {

// Provided by the worker as "postern": what net/network.hpp says.
struct Network : Service<"postern.network", 1> {
  virtual coro::Task<Result<net::StreamPtr>> connect(ServerAddress to, net::Duration limit) = 0;

 protected:
  ~Network() = default;
};

}  // namespace postern::plugin
