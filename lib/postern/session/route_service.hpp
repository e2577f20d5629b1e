// The ways out that plugins may choose for a recipient, made with what the site says of its own.
#pragma once

#include <postern/deliver/routes.hpp>
#include <postern/plugin/routes.hpp>
#include <postern/policy/configuration.hpp>

#include <map>
#include <string>
#include <vector>

namespace postern::session {

class RouteService final : public plugin::Routes {
 public:
  // `site`: of all servers, but for their addresses. `programs`: those of the configuration.
  RouteService(deliver::Routes& routes, deliver::PoolSettings site,
               std::vector<deliver::ProgramSettings> programs)
      : routes_(routes), site_(std::move(site)), programs_(std::move(programs)) {}

  deliver::Route& maildir(const std::string& path) override;
  deliver::Route& forward(const std::vector<SocketAddress>& to) override;
  deliver::Route* program(const std::string& name) override;
  deliver::Route* web_server(const plugin::WebServer& server) override;

 private:
  deliver::Routes& routes_;
  deliver::PoolSettings site_;
  std::vector<deliver::ProgramSettings> programs_;
  std::map<std::string, deliver::Route*> maildirs_;
  std::map<std::vector<SocketAddress>, deliver::Route*> servers_;
};

// The [[program]] blocks, as one of `workers` has them.
std::vector<deliver::ProgramSettings> program_settings(const std::vector<policy::Program>& programs,
                                                       std::size_t workers);

}  // namespace postern::session
