#include "routes.hpp"

#include "settings.hpp"

namespace postern::daemon {

WorkerRoutes::WorkerRoutes(coro::Scheduler& scheduler, net::Files& files, net::Network& network,
                           net::Programs* programs, dns::Resolver& resolver, Log& log,
                           const policy::Configuration& configuration, TlsClients tls,
                           std::size_t workers)
    : configuration_(configuration),
      tls_(std::move(tls)),
      workers_(workers),
      routes_(scheduler, files, network, log),
      service_(routes_, servers(configuration.forward),
               session::program_settings(configuration.programs, workers)),
      site_(first_route(programs, resolver)) {}

deliver::Route& WorkerRoutes::first_route(net::Programs* programs, dns::Resolver& resolver) {
  routes_.use(resolver);
  if (programs) routes_.use(*programs);
  return route(configuration_.forward);
}

deliver::Route& WorkerRoutes::route(const policy::ForwardTo& destination) {
  if (!destination.maildir.empty())
    return routes_.maildir({destination.maildir.text, configuration_.hostname});
  return routes_.server(servers(destination));
}

deliver::PoolSettings WorkerRoutes::servers(const policy::ForwardTo& destination) const {
  deliver::PoolSettings settings = pool_settings(configuration_, destination, workers_);
  settings.tls = tls_.of(destination);
  return settings;
}

session::DomainRoutes WorkerRoutes::domains() {
  session::DomainRoutes domains;
  for (const policy::ForwardRoute& each : configuration_.forward.routes)
    for (const policy::DomainPattern& domain : each.domains) domains.add(domain.text, route(each));
  return domains;
}

}  // namespace postern::daemon
