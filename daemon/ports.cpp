#include "ports.hpp"

#include <postern/net/sockets.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace postern::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 1s;

bool has(const std::vector<SocketAddress>& addresses, const SocketAddress& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

void close_sockets(const Port& port) {
  if (port.passed_on) return;
  for (const int socket : port.sockets) close(socket);
}

std::string remedy(const Error& error, const SocketAddress& address, const std::string& file) {
  switch (error.code) {
    case Errc::exists:
      return fmt::format("another mail server? Stop it, or change the [[listen]] address in {}",
                         file);
    case Errc::permission:
      if (address.port < 1024)
        return fmt::format(
            "ports below 1024 want root or CAP_NET_BIND_SERVICE; start posternd with "
            "one of them, or take a higher port in {}",
            file);
      return fmt::format("the system forbids it; take another port in {}", file);
    case Errc::unreachable:
      return fmt::format("no interface of this machine has that address; change it in {}", file);
    case Errc::descriptors:
      return "raise the limit of open files (ulimit -n)";
    default:
      return fmt::format("the address stands in {}", file);
  }
}

// Somebody who is just going gets the time to.
Result<void> probe(const SocketAddress& address) {
  if (address.port == 0) return {};
  const auto end = std::chrono::steady_clock::now() + patience;
  for (;;) {
    auto free = net::probe_address(address);
    if (free || free.error().code != Errc::exists || std::chrono::steady_clock::now() > end)
      return free;
    std::this_thread::sleep_for(10ms);
  }
}

}  // namespace

Ports::Ports(std::size_t columns, std::vector<int> passed_on)
    : columns_(passed_on.empty() ? columns : 1) {
  for (const int socket : passed_on)
    if (auto address = net::local_address(socket)) passed_on_.push_back({*address, socket});
}

const Ports::PassedOn* Ports::find_passed_on(const SocketAddress& address) const {
  const auto found = std::find_if(passed_on_.begin(), passed_on_.end(),
                                  [&](const PassedOn& each) { return each.address == address; });
  return found == passed_on_.end() ? nullptr : &*found;
}

std::vector<SocketAddress> Ports::unused() const {
  std::vector<SocketAddress> unused;
  for (const PassedOn& each : passed_on_)
    if (!is_open(each.address)) unused.push_back(each.address);
  return unused;
}

bool Ports::is_open(const SocketAddress& address) const {
  return std::any_of(ports_.begin(), ports_.end(),
                     [&](const Port& port) { return port.asked == address; });
}

Result<Port> Ports::make(const SocketAddress& address) const {
  if (const PassedOn* there = find_passed_on(address))
    return Port{address, address, {there->socket}, true};
  Port port{address, address, {}};
  while (port.sockets.size() < columns_) {
    auto socket = net::make_listening_socket(port.bound);
    if (!socket) {
      close_sockets(port);
      return fail(socket.error());
    }
    port.sockets.push_back(*socket);
    auto bound = net::local_address(*socket);
    if (bound) port.bound = *bound;  // the others share what the first was given
  }
  return port;
}

Result<void> Ports::open(const std::vector<SocketAddress>& addresses, const std::string& file) {
  const auto failed = [&](const Error& error, const SocketAddress& address) {
    return fail(error.code, fmt::format("{}; {}", error.text, remedy(error, address, file)));
  };
  const std::size_t before = ports_.size();
  if (before == 0)
    for (const SocketAddress& address : addresses) {
      if (find_passed_on(address)) continue;
      auto free = probe(address);
      if (!free) return failed(free.error(), address);
    }
  for (const SocketAddress& address : addresses) {
    const auto same = [&](const Port& port) { return port.asked == address; };
    if (std::any_of(ports_.begin(), ports_.begin() + static_cast<std::ptrdiff_t>(before), same))
      continue;
    auto port = make(address);
    if (!port) {
      for (; ports_.size() > before; ports_.pop_back()) close_sockets(ports_.back());
      return failed(port.error(), address);
    }
    ports_.push_back(std::move(*port));
  }
  return {};
}

void Ports::keep_only(const std::vector<SocketAddress>& addresses) {
  const auto gone = std::stable_partition(
      ports_.begin(), ports_.end(), [&](const Port& port) { return has(addresses, port.asked); });
  std::for_each(gone, ports_.end(), close_sockets);
  ports_.erase(gone, ports_.end());
}

// Several blocks may ask for any free port of the same address: each port is one of theirs.
Ports::Sockets Ports::sockets_of(const std::vector<SocketAddress>& addresses) const {
  Sockets found;
  std::vector<bool> taken(addresses.size());
  for (const Port& port : ports_) {
    std::size_t index = 0;
    while (index < addresses.size() && (taken[index] || addresses[index] != port.asked)) ++index;
    if (index == addresses.size()) continue;
    taken[index] = true;
    found.sockets.insert(found.sockets.end(), port.sockets.begin(), port.sockets.end());
    found.listeners.resize(found.sockets.size(), index);
  }
  return found;
}

std::vector<int> Ports::column(std::size_t index,
                               const std::vector<SocketAddress>& addresses) const {
  std::vector<int> sockets;
  for (const Port& port : ports_)
    if (has(addresses, port.asked)) sockets.push_back(port.sockets.at(index));
  return sockets;
}

}  // namespace postern::daemon
