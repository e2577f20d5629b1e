// What sessions share: the worker's services. All outlive every session.
#pragma once

#include <postern/base/counters.hpp>
#include <postern/base/log.hpp>
#include <postern/coro/scheduler.hpp>
#include <postern/deliver/route.hpp>
#include <postern/net/files.hpp>
#include <postern/plugin/lineup.hpp>
#include <postern/session/domain_routes.hpp>
#include <postern/session/remembered.hpp>
#include <postern/session/settings.hpp>

#include <cstddef>

namespace postern::net {
class TlsServer;
}

namespace postern::session {

// The worker, as its sessions see it.
class SessionHost {
 public:
  virtual void session_ended() = 0;
  virtual Counters& counters() = 0;

 protected:
  ~SessionHost() = default;
};

// Replies that plugins delay, at a time: beyond it they come at once.
struct DelayBudget {
  std::size_t most = 1000;
  std::size_t now = 0;
};

struct Services {
  coro::Scheduler& scheduler;
  net::Files& files;
  Log& log;
  deliver::Route& route;
  plugin::Lineup& lineup;
  plugin::HookScope& worker;  // what outlives the clients runs in it
  const Settings& settings;
  SessionHost& host;
  DomainRoutes domains = {};  // whose mail goes another way than `route`
  DelayBudget delays = {};
  // For some retries of a client's queue; and for as long as it may keep a message (RFC 5321
  // section 4.5.4.1).
  Remembered splits = Remembered("postern.split", std::chrono::hours(8));
  Remembered delivered = Remembered("postern.delivered", std::chrono::hours(5 * 24));
  net::TlsServer* tls = nullptr;  // null: no listener speaks it
};

}  // namespace postern::session
