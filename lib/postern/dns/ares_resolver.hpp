// The resolver of a worker: c-ares on the loop, with a cache, by UDP and TCP.
#pragma once

#include <postern/dns/caching_resolver.hpp>
#include <postern/net/loop.hpp>

namespace postern::dns {

struct Settings {
  std::vector<SocketAddress> servers;       // recursive resolvers, in order; empty: the system's
  std::chrono::milliseconds timeout{1500};  // of one try
  std::size_t tries = 3;                    // of each server
  CacheLimits cache;
};

// One per worker; goes before the loop does. Lookups that are under way then end as `cancelled`.
// With no `servers`, reads resolv.conf now.
std::unique_ptr<CachingResolver> make_resolver(net::Loop& loop, const Settings& settings);

}  // namespace postern::dns
