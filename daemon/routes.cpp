#include "routes.hpp"

#include "settings.hpp"

namespace postern::daemon {
namespace {

deliver::Route& site_route(deliver::Routes& routes, const policy::Configuration& configuration,
                           const deliver::PoolSettings& pool) {
  const std::string& maildir = configuration.forward.maildir.text;
  if (!maildir.empty()) return routes.maildir({maildir, configuration.hostname});
  return routes.server(pool);
}

}  // namespace

WorkerRoutes::WorkerRoutes(coro::Scheduler& scheduler, net::Files& files, net::Network& network,
                           Log& log, const policy::Configuration& configuration,
                           std::size_t workers)
    : routes_(scheduler, files, network, log),
      service_(routes_, pool_settings(configuration, workers)),
      site_(site_route(routes_, configuration, pool_settings(configuration, workers))) {}

}  // namespace postern::daemon
