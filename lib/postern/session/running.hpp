// Calling into plugins: who runs meanwhile, and what they throw.
#pragma once

#include <postern/base/result.hpp>
#include <postern/coro/scheduler.hpp>

#include <exception>
#include <string_view>

namespace postern::session {

// Who runs now: for the lag report, and whose private facts are meant.
class Running {
 public:
  Running(coro::Scheduler& scheduler, std::string_view who)
      : scheduler_(scheduler), before_(scheduler.running()) {
    scheduler.set_running(who);
  }
  ~Running() { scheduler_.set_running(before_); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  coro::Scheduler& scheduler_;
  std::string_view before_;
};

// What is being thrown, inside of a catch block.
inline Error thrown() {
  try {
    throw;
  } catch (const std::exception& error) {
    return Error(Errc::bug, error.what());
  } catch (...) {
    return Error(Errc::bug, "threw something");
  }
}

}  // namespace postern::session
