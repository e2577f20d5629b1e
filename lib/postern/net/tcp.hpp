// TCP on the loop: streams, listeners, connecting, also to unix sockets.
#pragma once

#include <postern/net/loop.hpp>
#include <postern/net/network.hpp>

#include <memory>

namespace postern::net {

// Takes the connections of a listener.
class Acceptor {
 public:
  virtual void accepted(StreamPtr stream) = 0;
  // Clients wait and the system has nothing left for one more: descriptors, memory. It says so
  // again and again until the listener is closed.
  virtual void accept_failed(const Error&) {}

 protected:
  ~Acceptor() = default;
};

// Accepts on a socket that belongs to somebody else and lives on: closing the listener leaves what
// waits in the socket's queue to the next one.
class Listener {
 public:
  // `socket` is bound and listening. Errors: descriptors, io.
  static Result<std::unique_ptr<Listener>> open(Loop& loop, int socket, Acceptor& acceptor);
  virtual ~Listener() = default;
};

class TcpNetwork final : public Network {
 public:
  explicit TcpNetwork(Loop& loop) : loop_(loop) {}
  coro::Task<Result<StreamPtr>> connect(ServerAddress to, Duration limit) override;

 private:
  coro::Task<Result<StreamPtr>> connect_to_path(std::string path, Duration limit);

  Loop& loop_;
};

}  // namespace postern::net
