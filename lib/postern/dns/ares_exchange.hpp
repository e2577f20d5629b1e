// Exchange by UDP and TCP, on c-ares. Inside `dns` only.
#pragma once

#include <postern/dns/ares_channel.hpp>

#include <vector>

namespace postern::dns {

// Channels are used for a while and then left to finish what they have: a UDP channel keeps its
// port, and whoever forges answers has to guess that port beside the identifier (RFC 5452 section
// 9.2). A connection that is ended by the server fails no more than the questions on it.
class AresExchange final : public Exchange, private coro::Timer {
 public:
  static constexpr std::size_t most_asked = 1000;  // by one channel
  static constexpr net::Duration most_age = std::chrono::seconds(10);

  // `servers`: at least one; `timeout`: of one try, at least 10 ms.
  AresExchange(net::Loop& loop, std::vector<SocketAddress> servers,
               std::chrono::milliseconds timeout);
  ~AresExchange() override;

  std::size_t servers() const override { return servers_.size(); }
  void ask(const Question& question, std::size_t server, Transport transport,
           Asker& asker) override;

 private:
  using ChannelPtr = std::unique_ptr<AresChannel>;
  struct Server {
    SocketAddress address;
    ChannelPtr udp;
    ChannelPtr tcp;
  };

  Result<AresChannel*> channel(Server& server, Transport transport);
  bool is_worn(const AresChannel& channel) const;
  void fire() override;  // every tenth of a timeout, as long as something is under way

  net::Loop& loop_;
  std::vector<Server> servers_;
  std::vector<ChannelPtr> worn_;  // until nothing of theirs is under way
  std::chrono::milliseconds timeout_;
};

}  // namespace postern::dns
