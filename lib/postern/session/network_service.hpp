// The network for plugins.
#pragma once

#include <postern/plugin/network.hpp>

#include <utility>

namespace postern::session {

class NetworkService final : public plugin::Network {
 public:
  explicit NetworkService(net::Network& network) : network_(network) {}
  coro::Task<Result<net::StreamPtr>> connect(ServerAddress to, net::Duration limit) override {
    return network_.connect(std::move(to), limit);
  }

 private:
  net::Network& network_;
};

}  // namespace postern::session
