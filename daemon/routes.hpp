// A worker's ways out: what [forward] and its routes say, and those that plugins choose for
// recipients.
#pragma once

#include <postern/deliver/routes.hpp>
#include <postern/policy/configuration.hpp>
#include <postern/session/domain_routes.hpp>
#include <postern/session/route_service.hpp>

#include "tls_clients.hpp"

namespace postern::daemon {

class WorkerRoutes {
 public:
  // `workers` share the connections to each downstream. `programs` may be null where the
  // configuration names none.
  WorkerRoutes(coro::Scheduler& scheduler, net::Files& files, net::Network& network,
               net::Programs* programs, dns::Resolver& resolver, Log& log,
               const policy::Configuration& configuration, TlsClients tls, std::size_t workers);

  deliver::Route& site() { return site_; }
  session::DomainRoutes domains();
  plugin::Routes& service() { return service_; }
  std::vector<deliver::PoolState> state() { return routes_.state(); }
  coro::Task<void> close() { return routes_.close(); }

 private:
  deliver::Route& route(const policy::ForwardTo& destination);
  deliver::Route& first_route(net::Programs* programs, dns::Resolver& resolver);
  deliver::PoolSettings servers(const policy::ForwardTo& destination) const;

  const policy::Configuration& configuration_;
  TlsClients tls_;
  std::size_t workers_;
  deliver::Routes routes_;
  session::RouteService service_;
  deliver::Route& site_;
};

}  // namespace postern::daemon
