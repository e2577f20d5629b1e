// The servers of one pool: who gets the next connection, who is left alone for a while, and how
// many connections each takes. Waits for nothing: the time is a parameter.
#pragma once

#include <postern/base/chrono.hpp>
#include <postern/base/server_address.hpp>
#include <postern/coro/scheduler.hpp>
#include <postern/smtp/capabilities.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace postern::deliver {

struct Server {
  Server(ServerAddress where, std::size_t share = 0,  // NOLINT: an address is a server's
         std::string name = {})
      : address(std::move(where)), weight(share), tls_name(std::move(name)) {}
  Server(const SocketAddress& where) : address(where) {}  // NOLINT: likewise
  bool operator==(const Server&) const = default;

  ServerAddress address;
  std::size_t weight = 0;  // its share; 0: tried, in order, when none with a share takes one
  std::string tls_name;    // asked for and verified; empty: there is only the address
};

// One server as a status command shows it.
struct ServerState {
  std::string address;
  std::size_t weight = 0;
  bool up = true;
  coro::Duration left_alone{};  // for so long from now
  std::size_t open = 0;         // connections in use, kept, or being opened
  std::size_t allowed = 0;      // at a time: what it was seen to take
  std::uint64_t opened = 0;     // connections that were greeted
  std::uint64_t failed = 0;     // that were not
  std::uint64_t crowded = 0;    // that were answered 421 while others were open
};

class Servers {
 public:
  static constexpr coro::Duration first_back_off = std::chrono::seconds(1);
  static constexpr coro::Duration longest_back_off = std::chrono::seconds(60);
  static constexpr coro::Duration growth_interval = std::chrono::seconds(10);

  // `most`: connections to all of them at a time.
  Servers(std::vector<Server> servers, std::size_t most);

  // Whom to try for a new connection, in order.
  struct Choice {
    std::vector<std::size_t> tries;
    std::vector<std::size_t> looks;  // left alone long enough; others serve meanwhile: to be probed
  };
  Choice choose(coro::TimePoint now);
  // How many connections all of them take now; at least one.
  std::size_t room(coro::TimePoint now);

  // What became of one. True: it is news.
  bool answered(std::size_t index, const smtp::Capabilities& offers);
  void failed(std::size_t index, coro::TimePoint now);
  // It said 421 to a new connection. True: others are open, so it takes fewer from now on, and more
  // again with time; otherwise it has failed.
  bool crowded(std::size_t index, coro::TimePoint now);

  const ServerAddress& address(std::size_t index) const { return all_[index].server.address; }
  const std::string& tls_name(std::size_t index) const { return all_[index].server.tls_name; }
  std::size_t& open(std::size_t index) { return all_[index].open; }
  bool& looked_at(std::size_t index) { return all_[index].looked_at; }
  // What all of them offer, as far as is known; what cannot be done without, only once all are.
  std::optional<smtp::Capabilities> offers() const;
  std::vector<ServerState> state(coro::TimePoint now) const;

 private:
  struct One {
    One(Server where, std::size_t most) : server(std::move(where)), allowed(most) {}
    Server server;
    std::size_t open = 0;
    std::size_t allowed;
    coro::TimePoint grows_at{};
    coro::Duration back_off{};  // zero: it is up
    coro::TimePoint down_until{};
    bool looked_at = false;
    std::int64_t credit = 0;  // towards its share
    std::optional<smtp::Capabilities> offers;
    std::uint64_t times_opened = 0, times_failed = 0, times_crowded = 0;

    bool up() const { return back_off == coro::Duration::zero(); }
  };
  void grow(One& one, coro::TimePoint now) const;
  void by_share(std::vector<std::size_t>& indexes);

  std::vector<One> all_;
  std::size_t most_;
};

// What both offer; the smaller of the two limits of size.
smtp::Capabilities common(const smtp::Capabilities& a, const smtp::Capabilities& b);

}  // namespace postern::deliver
