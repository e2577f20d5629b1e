#include <postern/testing/harness_routes.hpp>

#include <utility>

namespace postern::testing {

HarnessRoutes::HarnessRoutes(coro::Scheduler& scheduler, net::Files& files, net::Network& network,
                             Log& log, deliver::PoolSettings pool)
    : scheduler_(scheduler), files_(files), network_(network), log_(log), pool_(std::move(pool)) {}

deliver::Route& HarnessRoutes::maildir(const std::string& path) {
  auto& route = maildirs_[path];
  if (!route) {
    deliver::MaildirSettings settings{path, pool_.hostname};
    route = std::make_unique<deliver::Maildir>(scheduler_, files_, log_, std::move(settings));
  }
  return *route;
}

deliver::Route& HarnessRoutes::forward(const std::vector<SocketAddress>& to) {
  auto& route = servers_[to];
  if (!route) {
    deliver::PoolSettings settings = pool_;
    settings.to = to;
    route = std::make_unique<deliver::SmtpRoute>(scheduler_, network_, log_, std::move(settings));
  }
  return *route;
}

coro::Task<void> HarnessRoutes::close() {
  for (auto& [path, route] : maildirs_) co_await route->close();
  for (auto& [to, route] : servers_) co_await route->close();
}

std::size_t HarnessRoutes::open_connections() const {
  std::size_t count = 0;
  for (const auto& [to, route] : servers_) count += route->pool().open_connections();
  return count;
}

}  // namespace postern::testing
