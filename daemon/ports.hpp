// The listening sockets of the master: made once, assigned to workers, closed with it.
#pragma once

#include <postern/base/ip.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace postern::daemon {

// One address to listen on and its SO_REUSEPORT sockets. The kernel spreads connections over all of
// them, so all of them are served as long as the port is open; none is added or closed before.
struct Port {
  SocketAddress asked;  // port 0: any
  SocketAddress bound;
  std::vector<int> sockets;
  bool passed_on = false;  // by systemd, which has it open too
};

class Ports {
 public:
  // `columns`: how many sockets each address gets. It never changes. `passed_on`: listening sockets
  // that are there already; an address of one of them is not bound, and since they are one for each
  // address, so are all others.
  Ports(std::size_t columns, std::vector<int> passed_on);
  Ports(const Ports&) = delete;
  Ports& operator=(const Ports&) = delete;
  ~Ports() { close_all(); }

  // Those that were passed on and that no address names: clients would wait there for ever.
  std::vector<SocketAddress> unused() const;

  std::size_t columns() const { return columns_; }

  // Opens what is not open yet; on failure nothing is kept of that. The predecessor's workers may
  // take a moment to let go of a port: waits up to a second, at start-up only.
  // Errors: the text is a line with the remedy; `file` is where the address stands.
  Result<void> open(const std::vector<SocketAddress>& addresses, const std::string& file);
  // Closes all others.
  void keep_only(const std::vector<SocketAddress>& addresses);
  void close_all() { keep_only({}); }

  const std::vector<Port>& all() const { return ports_; }
  // Those of these addresses; of each, to which of the addresses it belongs.
  struct Sockets {
    std::vector<int> sockets;
    std::vector<std::uint64_t> listeners;
  };
  Sockets sockets_of(const std::vector<SocketAddress>& addresses) const;
  std::vector<int> column(std::size_t index, const std::vector<SocketAddress>& addresses) const;

 private:
  // Listens on both sides of a reload, so it is never closed.
  struct PassedOn {
    SocketAddress address;
    int socket;
  };

  Result<Port> make(const SocketAddress& address) const;
  const PassedOn* find_passed_on(const SocketAddress& address) const;
  bool is_open(const SocketAddress& address) const;

  std::size_t columns_;
  std::vector<PassedOn> passed_on_;
  std::vector<Port> ports_;
};

}  // namespace postern::daemon
