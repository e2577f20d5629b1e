// The real resolver on a real loop, and a stub to ask.
#pragma once

#include <postern/dns/ares_resolver.hpp>

#include <deque>
#include <stdexcept>

#include "../coro/outcome.hpp"
#include "catch.hpp"
#include "support/dns_stub.hpp"
#include "support/lag_alarm.hpp"

namespace postern::dns {

using namespace std::chrono_literals;
using Addresses = Result<Answer<IpAddress>>;

// One response, made from a message.
inline std::vector<testing::DnsResponse> say(const testing::wire::Message& message) {
  return {testing::DnsResponse(message)};
}
inline std::vector<testing::DnsResponse> nothing() { return {}; }

// The answer to a query for addresses: 127.0.0.2.
inline testing::wire::Message listed(const testing::DnsQuery& query) {
  return query.answer().answer(testing::wire::a, 300, std::string("\x7f\0\0\x02", 4));
}

class LoopWorld {
 public:
  explicit LoopWorld(testing::DnsStub::Handler handler, std::chrono::milliseconds timeout = 1000ms,
                     std::size_t tries = 3)
      : stub(loop, std::move(handler)) {
    settings.servers = {stub.address()};
    settings.timeout = timeout;
    settings.tries = tries;
    restart();
  }
  void restart() { dns = make_resolver(loop, settings); }

  // Runs the loop until `task` has ended.
  template <typename T>
  T run(coro::Task<T> task) {
    struct Finished final : coro::Completion {
      explicit Finished(net::Loop& l) : loop(l) {}
      void finished() noexcept override { loop.stop(); }
      net::Loop& loop;
    };
    coro::Context context(loop, "test");
    Finished finished(loop);
    Guard guard(loop);
    if (!task.start(context, finished)) loop.run();
    if (guard.fired) throw std::runtime_error("took too long; waiting are:\n" + loop.waiting());
    if (const auto lag = lag_alarm.take()) FAIL_CHECK(*lag);
    return task.await_resume();
  }
  Addresses ask(std::string name = "a.example") { return run(dns->a(std::move(name))); }
  void join(coro::Scope& scope) { run(coro::join(scope)); }

  net::Loop loop;
  testing::LagAlarm lag_alarm{loop};
  testing::DnsStub stub;
  Settings settings;
  std::unique_ptr<CachingResolver> dns;

 private:
  class Guard final : public coro::Timer {
   public:
    explicit Guard(net::Loop& l) : loop(l) { loop.arm(*this, loop.now() + 30s); }
    ~Guard() { loop.disarm(*this); }
    void fire() override {
      fired = true;
      loop.stop();
    }
    net::Loop& loop;
    bool fired = false;
  };
};

}  // namespace postern::dns
