// The ways out of a worker: each is made when it is first named and lives as long as the worker
// does, so that all who name it share its connections.
#pragma once

#include <postern/deliver/http_route.hpp>
#include <postern/deliver/maildir.hpp>
#include <postern/deliver/program_route.hpp>
#include <postern/deliver/smtp_route.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::deliver {

class Routes {
 public:
  Routes(coro::Scheduler& scheduler, net::Files& files, net::Network& network, Log& log)
      : scheduler_(scheduler), files_(files), network_(network), log_(log) {}

  // The same settings give the same route.
  Maildir& maildir(const MaildirSettings& settings);
  HttpRoute& web_server(const HttpSettings& settings);     // after use(resolver)
  ProgramRoute& program(const ProgramSettings& settings);  // after use(programs)
  SmtpRoute& server(const PoolSettings& settings);

  // What some of them need, before they are named.
  void use(dns::Resolver& resolver) { resolver_ = &resolver; }
  void use(net::Programs& programs) { programs_ = &programs; }
  bool starts_programs() const { return programs_ != nullptr; }

  // Ends what they keep open. Nothing is named or begun afterwards.
  coro::Task<void> close();
  std::size_t open_connections() const;  // to all servers
  std::vector<PoolState> state();        // of each pool

 private:
  coro::Scheduler& scheduler_;
  net::Files& files_;
  net::Network& network_;
  Log& log_;
  dns::Resolver* resolver_ = nullptr;
  net::Programs* programs_ = nullptr;
  std::vector<std::pair<HttpSettings, std::unique_ptr<HttpRoute>>> web_servers_;
  std::vector<std::pair<ProgramSettings, std::unique_ptr<ProgramRoute>>> program_routes_;
  std::vector<std::pair<MaildirSettings, std::unique_ptr<Maildir>>> maildirs_;
  std::vector<std::pair<PoolSettings, std::unique_ptr<SmtpRoute>>> servers_;
};

}  // namespace postern::deliver
