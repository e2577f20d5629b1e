#include <postern/dns/ares_exchange.hpp>

#include <algorithm>
#include <cassert>

namespace postern::dns {

AresExchange::AresExchange(net::Loop& loop, std::vector<SocketAddress> servers,
                           std::chrono::milliseconds timeout)
    : loop_(loop), timeout_(timeout) {
  assert(!servers.empty());
  for (const SocketAddress& address : servers) servers_.push_back(Server{address, {}, {}});
}

AresExchange::~AresExchange() { loop_.disarm(*this); }

void AresExchange::ask(const Question& question, std::size_t server, Transport transport,
                       Asker& asker) {
  auto chosen = channel(servers_[server], transport);
  if (!chosen) return asker.failed(chosen.error());
  if (!armed()) loop_.arm(*this, loop_.now() + timeout_ / 10);
  (*chosen)->ask(question, asker);
}

bool AresExchange::is_worn(const AresChannel& channel) const {
  return channel.asked() >= most_asked || loop_.now() - channel.opened() >= most_age;
}

Result<AresChannel*> AresExchange::channel(Server& server, Transport transport) {
  const bool tcp = transport != Transport::udp;
  ChannelPtr& place = tcp ? server.tcp : server.udp;
  const bool alone = transport == Transport::tcp_alone;
  if (place && !alone && !is_worn(*place)) return place.get();

  auto opened = AresChannel::open(loop_, server.address, tcp, timeout_);
  if (!opened) return fail(opened.error());
  AresChannel* fresh = opened->get();
  if (alone) {
    worn_.push_back(std::move(*opened));
  } else {
    if (place) worn_.push_back(std::move(place));
    place = std::move(*opened);
  }
  return fresh;
}

void AresExchange::fire() {
  std::vector<AresChannel*> all;  // answers may open more of them
  for (const ChannelPtr& channel : worn_) all.push_back(channel.get());
  for (const Server& server : servers_)
    for (const ChannelPtr& channel : {std::cref(server.udp), std::cref(server.tcp)})
      if (channel) all.push_back(channel.get());
  bool waiting = false;
  for (AresChannel* channel : all) {
    if (channel->waiting() > 0) channel->look_at_time();
  }
  std::erase_if(worn_, [](const ChannelPtr& channel) { return channel->waiting() == 0; });
  for (const Server& server : servers_)
    waiting = waiting || (server.udp && server.udp->waiting() > 0) ||
              (server.tcp && server.tcp->waiting() > 0);
  if (waiting || !worn_.empty()) loop_.arm(*this, loop_.now() + timeout_ / 10);
}

}  // namespace postern::dns
