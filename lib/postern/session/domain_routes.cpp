#include <postern/deliver/servers.hpp>
#include <postern/session/domain_routes.hpp>

#include <algorithm>

namespace postern::session {

deliver::Route* DomainRoutes::find(std::string_view domain) const {
  if (routes_.empty()) return nullptr;
  if (const auto whole = routes_.find(domain); whole != routes_.end()) return whole->second;
  for (auto dot = domain.find('.'); dot != std::string_view::npos; dot = domain.find('.', dot + 1))
    if (const auto above = routes_.find(domain.substr(dot)); above != routes_.end())
      return above->second;
  return nullptr;
}

smtp::Capabilities DomainRoutes::offers(const deliver::Route& site) const {
  smtp::Capabilities all = site.offers();
  for (const auto& [pattern, route] : routes_) {
    const smtp::Capabilities one = route->offers();
    const bool unlimited = all.size_limit == 0 || one.size_limit == 0;
    const auto most = unlimited ? 0 : std::max(all.size_limit, one.size_limit);
    all = deliver::common(all, one);
    all.size_limit = most;
  }
  return all;
}

}  // namespace postern::session
