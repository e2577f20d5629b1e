#include <postern/dns/ares_exchange.hpp>
#include <postern/dns/ares_resolver.hpp>
#include <postern/dns/resolv_conf.hpp>

namespace postern::dns {

std::unique_ptr<CachingResolver> make_resolver(net::Loop& loop, const Settings& settings) {
  auto servers = settings.servers.empty() ? system_servers() : settings.servers;
  auto exchange = std::make_unique<AresExchange>(loop, std::move(servers), settings.timeout);
  CachingResolver::Settings own;
  own.tries = settings.tries;
  own.cache = settings.cache;
  return std::make_unique<CachingResolver>(loop, std::move(exchange), own);
}

}  // namespace postern::dns
