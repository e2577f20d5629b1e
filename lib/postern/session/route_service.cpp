#include <postern/session/route_service.hpp>

namespace postern::session {

deliver::Route& RouteService::maildir(const std::string& path) {
  deliver::Route*& route = maildirs_[path];
  if (!route) route = &routes_.maildir({path, site_.hostname});
  return *route;
}

deliver::Route& RouteService::forward(const std::vector<SocketAddress>& to) {
  deliver::Route*& route = servers_[to];
  if (!route) {
    deliver::PoolSettings settings = site_;
    settings.to.assign(to.begin(), to.end());
    route = &routes_.server(settings);
  }
  return *route;
}

}  // namespace postern::session
