// The ways out that the program itself has, for plugins that choose one for a recipient.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/plugin/services.hpp>

#include <string>
#include <vector>

namespace postern::deliver {
class Route;
}

namespace postern::plugin {

// Provided by the worker as "postern". The same arguments give the same route, which lives as long
// as the worker does.
struct Routes : Service<"postern.routes", 1> {
  virtual deliver::Route& maildir(const std::string& path) = 0;
  // An SMTP server: these addresses, in this order; the rest as [forward] says.
  virtual deliver::Route& forward(const std::vector<SocketAddress>& to) = 0;

 protected:
  ~Routes() = default;
};

}  // namespace postern::plugin
