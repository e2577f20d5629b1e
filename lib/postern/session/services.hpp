// What sessions share: the worker's services. All outlive every session.
#pragma once

#include <postern/base/log.hpp>
#include <postern/coro/scheduler.hpp>
#include <postern/deliver/route.hpp>
#include <postern/net/files.hpp>
#include <postern/policy/recipients.hpp>
#include <postern/session/settings.hpp>

namespace postern::session {

// Hears of the end of each session.
class SessionHost {
 public:
  virtual void session_ended() = 0;

 protected:
  ~SessionHost() = default;
};

struct Services {
  coro::Scheduler& scheduler;
  net::Files& files;
  Log& log;
  deliver::Route& route;
  const policy::RecipientTable& recipients;
  const Settings& settings;
  SessionHost& host;
};

}  // namespace postern::session
