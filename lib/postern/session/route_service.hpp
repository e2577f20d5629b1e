// The ways out that plugins may choose for a recipient, made with what the site says of its own.
#pragma once

#include <postern/deliver/routes.hpp>
#include <postern/plugin/routes.hpp>

#include <map>
#include <string>
#include <vector>

namespace postern::session {

class RouteService final : public plugin::Routes {
 public:
  // `site`: of all servers, but for their addresses.
  RouteService(deliver::Routes& routes, deliver::PoolSettings site)
      : routes_(routes), site_(std::move(site)) {}

  deliver::Route& maildir(const std::string& path) override;
  deliver::Route& forward(const std::vector<SocketAddress>& to) override;

 private:
  deliver::Routes& routes_;
  deliver::PoolSettings site_;
  std::map<std::string, deliver::Route*> maildirs_;
  std::map<std::vector<SocketAddress>, deliver::Route*> servers_;
};

}  // namespace postern::session
