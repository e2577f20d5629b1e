// The ways out that plugins may choose in a harness: downstreams of its network, Maildirs in its
// memory.
#pragma once

#include <postern/base/log.hpp>
#include <postern/deliver/maildir.hpp>
#include <postern/deliver/smtp_route.hpp>
#include <postern/plugin/routes.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace postern::testing {

class HarnessRoutes final : public plugin::Routes {
 public:
  // `pool`: of all servers, but for their addresses.
  HarnessRoutes(coro::Scheduler& scheduler, net::Files& files, net::Network& network, Log& log,
                deliver::PoolSettings pool);

  deliver::Route& maildir(const std::string& path) override;
  deliver::Route& forward(const std::vector<SocketAddress>& to) override;

  coro::Task<void> close();
  std::size_t open_connections() const;

 private:
  coro::Scheduler& scheduler_;
  net::Files& files_;
  net::Network& network_;
  Log& log_;
  deliver::PoolSettings pool_;
  std::map<std::string, std::unique_ptr<deliver::Maildir>> maildirs_;
  std::map<std::vector<SocketAddress>, std::unique_ptr<deliver::SmtpRoute>> servers_;
};

}  // namespace postern::testing
