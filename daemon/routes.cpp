#include "routes.hpp"

#include <postern/deliver/maildir.hpp>
#include <postern/deliver/smtp_route.hpp>

#include "settings.hpp"

namespace postern::daemon {

WorkerRoutes::WorkerRoutes(coro::Scheduler& scheduler, net::Files& files, net::Network& network,
                           Log& log, const policy::Configuration& configuration,
                           std::size_t workers)
    : scheduler_(scheduler),
      files_(files),
      network_(network),
      log_(log),
      configuration_(configuration),
      pool_(pool_settings(configuration, workers)) {}

deliver::Route& WorkerRoutes::site() {
  const policy::Forward& forward_to = configuration_.forward;
  if (!forward_to.maildir.empty()) return maildir(forward_to.maildir.text);
  return forward(forward_to.to.addresses);
}

deliver::Route& WorkerRoutes::maildir(const std::string& path) {
  auto& route = maildirs_[path];
  if (!route) {
    deliver::MaildirSettings settings{path, configuration_.hostname};
    route = std::make_unique<deliver::Maildir>(scheduler_, files_, log_, std::move(settings));
  }
  return *route;
}

deliver::Route& WorkerRoutes::forward(const std::vector<SocketAddress>& to) {
  auto& route = servers_[to];
  if (!route) {
    deliver::PoolSettings settings = pool_;
    settings.to = to;
    route = std::make_unique<deliver::SmtpRoute>(scheduler_, network_, log_, std::move(settings));
  }
  return *route;
}

coro::Task<void> WorkerRoutes::close() {
  for (auto& [path, route] : maildirs_) co_await route->close();
  for (auto& [to, route] : servers_) co_await route->close();
}

}  // namespace postern::daemon
