// A worker's ways out: what [forward] says, and those that plugins choose for recipients.
#pragma once

#include <postern/base/log.hpp>
#include <postern/deliver/pool.hpp>
#include <postern/deliver/route.hpp>
#include <postern/net/files.hpp>
#include <postern/net/network.hpp>
#include <postern/plugin/routes.hpp>
#include <postern/policy/configuration.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace postern::daemon {

class WorkerRoutes final : public plugin::Routes {
 public:
  // `workers` share the connections to each downstream.
  WorkerRoutes(coro::Scheduler& scheduler, net::Files& files, net::Network& network, Log& log,
               const policy::Configuration& configuration, std::size_t workers);

  deliver::Route& site();
  deliver::Route& maildir(const std::string& path) override;
  deliver::Route& forward(const std::vector<SocketAddress>& to) override;

  coro::Task<void> close();

 private:
  coro::Scheduler& scheduler_;
  net::Files& files_;
  net::Network& network_;
  Log& log_;
  const policy::Configuration& configuration_;
  deliver::PoolSettings pool_;
  std::map<std::string, std::unique_ptr<deliver::Route>> maildirs_;
  std::map<std::vector<SocketAddress>, std::unique_ptr<deliver::Route>> servers_;
};

}  // namespace postern::daemon
