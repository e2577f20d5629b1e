// Whose mail goes another way than the site's, by the recipient's domain.
#pragma once

#include <postern/deliver/route.hpp>

#include <map>
#include <string>
#include <string_view>

namespace postern::session {

class DomainRoutes {
 public:
  // `pattern`: "example.net", or ".example.net" for its subdomains; in lower case.
  void add(std::string pattern, deliver::Route& route) { routes_[std::move(pattern)] = &route; }
  // The one of the longest pattern that fits; null: none does. `domain` in lower case.
  deliver::Route* find(std::string_view domain) const;
  // What all ways can carry, the site's own among them: it is offered before a recipient is known.
  // The limit of size is the largest: each way judges it again.
  smtp::Capabilities offers(const deliver::Route& site) const;

 private:
  std::map<std::string, deliver::Route*, std::less<>> routes_;
};

}  // namespace postern::session
