// The ways out that the program itself has, for plugins that choose one for a recipient.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/base/url.hpp>
#include <postern/plugin/services.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace postern::deliver {
class Route;
}

namespace postern::plugin {

// A web server that messages are posted to.
struct WebServer {
  Url url;
  std::vector<std::string> fields;  // "NAME: VALUE" each
  unsigned on_4xx = 550;            // 4yz or 5yz: what the client hears of such a status
  unsigned on_5xx = 451;
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
};

// Provided by the worker as "postern". The same arguments give the same route, which lives as long
// as the worker does.
struct Routes : Service<"postern.routes", 1> {
  virtual deliver::Route& maildir(const std::string& path) = 0;
  // An SMTP server: these addresses, in this order; the rest as [forward] says.
  virtual deliver::Route& forward(const std::vector<SocketAddress>& to) = 0;

  // A [[program]] of the configuration; null: there is none of that name.
  virtual deliver::Route* program(const std::string& name) = 0;
  // Null: one of its fields may not stand in a request.
  virtual deliver::Route* web_server(const WebServer& server) = 0;

 protected:
  ~Routes() = default;
};

}  // namespace postern::plugin
