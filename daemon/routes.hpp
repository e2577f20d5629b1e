// A worker's ways out: what [forward] and its routes say, and those that plugins choose for
// recipients.
#pragma once

#include <postern/deliver/routes.hpp>
#include <postern/policy/configuration.hpp>
#include <postern/session/domain_routes.hpp>
#include <postern/session/route_service.hpp>

namespace postern::daemon {

class WorkerRoutes {
 public:
  // `workers` share the connections to each downstream.
  WorkerRoutes(coro::Scheduler& scheduler, net::Files& files, net::Network& network, Log& log,
               const policy::Configuration& configuration, std::size_t workers);

  deliver::Route& site() { return site_; }
  session::DomainRoutes domains();
  plugin::Routes& service() { return service_; }
  std::vector<deliver::PoolState> state() { return routes_.state(); }
  coro::Task<void> close() { return routes_.close(); }

 private:
  deliver::Route& route(const policy::ForwardTo& destination);

  const policy::Configuration& configuration_;
  std::size_t workers_;
  deliver::Routes routes_;
  session::RouteService service_;
  deliver::Route& site_;
};

}  // namespace postern::daemon
