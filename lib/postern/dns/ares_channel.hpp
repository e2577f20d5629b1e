// A c-ares channel on the loop, to one server by one transport. Inside `dns` only.
//
// c-ares sends, matches answers to questions (identifier, server, question), counts the time of one
// try, and asks again without EDNS where a server does not know that. What it does beyond that is
// not used: its retries (one broken connection fails every query of the channel, so retries are the
// lookup's), its fallback to TCP (for the same reason), its parsers, its cache, resolv.conf.
#pragma once

#include <postern/dns/exchange.hpp>
#include <postern/net/socket_watch.hpp>

#include <map>

struct ares_channeldata;

namespace postern::dns {

class AresChannel final : private net::SocketOwner {
 public:
  static constexpr int udp_octets = 1232;  // EDNS: what passes everywhere unfragmented

  // Errors: io.
  static Result<std::unique_ptr<AresChannel>> open(net::Loop& loop, const SocketAddress& server,
                                                   bool tcp, std::chrono::milliseconds timeout);
  // Tells all that still wait: cancelled. Not from inside an asker's answered() or failed().
  ~AresChannel();

  void ask(const Question& question, Asker& asker);
  void look_at_time();  // fails what has taken too long

  std::size_t waiting() const { return waiting_; }
  std::size_t asked() const { return asked_; }
  net::TimePoint opened() const { return opened_; }

 private:
  struct Query;
  explicit AresChannel(net::Loop& loop) : loop_(loop), opened_(loop.now()) {}
  Result<void> open(const SocketAddress& server, bool tcp, std::chrono::milliseconds timeout);
  void watch(int socket, bool readable, bool writable);
  void socket_ready(int socket, bool readable, bool writable) override;

  net::Loop& loop_;
  net::TimePoint opened_;
  ares_channeldata* channel_ = nullptr;
  std::map<int, std::unique_ptr<net::SocketWatch>> watches_;
  std::size_t asked_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace postern::dns
