// Remembers that a turn held the loop too long. Time in which the machine ran somebody else instead
// of us, or its host another machine, is not held against the test.
#pragma once

#include <postern/net/loop.hpp>

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace postern::testing {

class LagAlarm final : public net::LagWatcher {
 public:
  explicit LagAlarm(net::Loop& loop) { loop.watch_lag(this); }

  // What held it, since the last call; nothing when all turns were short.
  std::optional<std::string> take() { return std::exchange(report_, std::nullopt); }

 private:
#ifdef __SANITIZE_ADDRESS__
  static constexpr net::Duration limit = 10 * net::Loop::held_too_long;  // the sanitizers' share
#else
  static constexpr net::Duration limit = net::Loop::held_too_long;
#endif

  void loop_was_held(net::Duration duration, std::string_view who) override {
    const net::Duration waited = time_not_running();
    const net::Duration ours = duration - (waited - waited_before_);
    waited_before_ = waited;
    if (ours <= limit) return;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(ours).count();
    report_ = "the loop was held for " + std::to_string(ms) + " ms by " + std::string(who);
  }

  // How long this thread was ready to run and did not, since its beginning (Linux's schedstat).
  static net::Duration time_not_running() {
    std::ifstream schedstat("/proc/thread-self/schedstat");
    long long running = 0, waiting = 0;
    schedstat >> running >> waiting;
    return std::chrono::nanoseconds(waiting) + time_stolen();
  }

  // By the host of a virtual machine, from all processors: whether it was ours is not told.
  static net::Duration time_stolen() {
    std::ifstream stat("/proc/stat");
    std::string cpu;
    long long user = 0, nice = 0, system = 0, idle = 0, io = 0, irq = 0, softirq = 0, stolen = 0;
    stat >> cpu >> user >> nice >> system >> idle >> io >> irq >> softirq >> stolen;
    return std::chrono::seconds(1) * stolen / sysconf(_SC_CLK_TCK);
  }

  net::Duration waited_before_ = time_not_running();
  std::optional<std::string> report_;
};

}  // namespace postern::testing
