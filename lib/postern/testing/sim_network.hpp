// The network of the simulation: servers by address, each a function that serves one connection.
//
//   SimNetwork network(sim, {.latency = 5ms});
//   network.listen(address, [&](net::StreamPtr stream) { return
//   downstream.serve(std::move(stream)); }); network.fail(other, Errc::refused);
#pragma once

#include <postern/coro/event.hpp>
#include <postern/coro/scope.hpp>
#include <postern/net/network.hpp>
#include <postern/testing/memory_stream.hpp>

#include <functional>
#include <map>

namespace postern::testing {

class SimNetwork final : public net::Network {
 public:
  using Handler = std::function<coro::Task<void>(net::StreamPtr)>;

  explicit SimNetwork(SimScheduler& sim, LinkOptions options = {});
  ~SimNetwork() override;

  // From now on `address` is served by `handler`, a plain function that makes the task. An address
  // that was never named refuses.
  void listen(const ServerAddress& address, Handler handler);
  // ... or each connect to it fails with `why`, after the latency of the link.
  void fail(const ServerAddress& address, Errc why);
  // ... or it never answers: only the limit of the connect ends it.
  void silence(const ServerAddress& address);

  // Takes one round trip. A stop before the answer leaves nothing behind.
  coro::Task<Result<net::StreamPtr>> connect(ServerAddress to, Duration limit) override;

  std::size_t attempts(const ServerAddress& address) const;  // connects that were begun
  std::size_t served() const { return scope_.running(); }    // connections that a handler has now
  // Stops the servers' tasks and runs until they are gone; what they throw is thrown here.
  void stop();

 private:
  struct Place {
    enum class Kind { refuses, serves, silent } kind = Kind::refuses;
    Errc why = Errc::refused;
    Handler handler;
    std::size_t attempts = 0;
  };
  coro::Task<Result<net::StreamPtr>> open(ServerAddress to);
  coro::Task<void> join();

  SimScheduler& sim_;
  LinkOptions options_;
  std::map<ServerAddress, Place> places_;
  std::uint16_t next_port_ = 40000;
  coro::Event never_;
  coro::Scope scope_;
};

}  // namespace postern::testing
