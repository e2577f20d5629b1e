// Waiting for time to pass: `auto slept = co_await sleep(300ms);`
#pragma once

#include <postern/coro/wait.hpp>

namespace postern::coro {

class Sleep final : public Wait {
 public:
  explicit Sleep(Duration duration) : Wait("sleep", duration) {}
  // Errors: cancelled; timed_out when a deadline above ended it early.
  Result<void> await_resume() const {
    if (limit_reached()) return {};  // even when a stop came in the same turn
    return stop_error();
  }

 private:
  bool begin() override { return true; }
};
inline Sleep sleep(Duration duration) { return Sleep(duration); }

}  // namespace postern::coro
