#include <postern/deliver/routes.hpp>

#include <algorithm>

namespace postern::deliver {
namespace {

// What was made of `settings`; null when nothing was.
template <typename Made, typename Settings>
auto* find(const Made& made, const Settings& settings) {
  const auto found = std::find_if(made.begin(), made.end(),
                                  [&](const auto& each) { return each.first == settings; });
  return found == made.end() ? nullptr : found->second.get();
}

}  // namespace

Maildir& Routes::maildir(const MaildirSettings& settings) {
  if (Maildir* made = find(maildirs_, settings)) return *made;
  auto route = std::make_unique<Maildir>(scheduler_, files_, log_, settings);
  return *maildirs_.emplace_back(settings, std::move(route)).second;
}

SmtpRoute& Routes::server(const PoolSettings& settings) {
  if (SmtpRoute* made = find(servers_, settings)) return *made;
  auto route = std::make_unique<SmtpRoute>(scheduler_, network_, log_, settings, programs_);
  return *servers_.emplace_back(settings, std::move(route)).second;
}

HttpRoute& Routes::web_server(const HttpSettings& settings) {
  if (HttpRoute* made = find(web_servers_, settings)) return *made;
  auto route = std::make_unique<HttpRoute>(network_, *resolver_, log_, settings);
  return *web_servers_.emplace_back(settings, std::move(route)).second;
}

ProgramRoute& Routes::program(const ProgramSettings& settings) {
  if (ProgramRoute* made = find(program_routes_, settings)) return *made;
  auto route = std::make_unique<ProgramRoute>(*programs_, log_, settings);
  return *program_routes_.emplace_back(settings, std::move(route)).second;
}

coro::Task<void> Routes::close() {
  for (std::size_t i = 0; i < maildirs_.size(); ++i) co_await maildirs_[i].second->close();
  for (std::size_t i = 0; i < servers_.size(); ++i) co_await servers_[i].second->close();
}

std::size_t Routes::open_connections() const {
  std::size_t count = 0;
  for (const auto& [settings, route] : servers_) count += route->pool().open_connections();
  return count;
}

std::vector<PoolState> Routes::state() {
  std::vector<PoolState> states;
  for (const auto& [settings, route] : servers_) states.push_back(route->pool().state());
  return states;
}

}  // namespace postern::deliver
