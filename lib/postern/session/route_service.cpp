#include <postern/session/route_service.hpp>

#include <algorithm>

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

deliver::Route* RouteService::program(const std::string& name) {
  if (!routes_.starts_programs()) return nullptr;
  for (const deliver::ProgramSettings& settings : programs_)
    if (settings.name == name) return &routes_.program(settings);
  return nullptr;
}

deliver::Route* RouteService::web_server(const plugin::WebServer& server) {
  if (!std::all_of(server.fields.begin(), server.fields.end(), deliver::is_http_field))
    return nullptr;
  deliver::HttpSettings settings;
  settings.url = server.url;
  settings.fields = server.fields;
  settings.on_4xx = static_cast<int>(server.on_4xx);
  settings.on_5xx = static_cast<int>(server.on_5xx);
  settings.timeout = server.timeout;
  return &routes_.web_server(settings);
}

std::vector<deliver::ProgramSettings> program_settings(const std::vector<policy::Program>& programs,
                                                       std::size_t workers) {
  static_assert(static_cast<int>(policy::ProgramManner::qmail_queue) ==
                static_cast<int>(deliver::Manner::qmail_queue));
  std::vector<deliver::ProgramSettings> out;
  for (const policy::Program& program : programs)
    out.push_back({program.name, static_cast<deliver::Manner>(program.manner), program.command,
                   std::max<std::size_t>(1, program.at_a_time / workers), program.timeout});
  return out;
}

}  // namespace postern::session
