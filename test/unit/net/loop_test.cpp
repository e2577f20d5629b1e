#include <postern/net/loop.hpp>
#include <postern/net/sockets.hpp>
#include <postern/net/tcp.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "catch.hpp"

using namespace postern;
using namespace std::chrono_literals;

namespace {

// Holds the loop for a while when a connection comes.
struct SlowAcceptor final : net::Acceptor {
  void accepted(net::StreamPtr) override { std::this_thread::sleep_for(30ms); }
};

struct LastTimer final : coro::Timer {
  explicit LastTimer(net::Loop& owner) : loop(owner) {}
  void fire() override {
    fired_at = loop.now();
    loop.stop();
  }
  net::Loop& loop;
  coro::TimePoint fired_at;
};

// A connection to `listening` that nobody has accepted yet.
int connect_to(int listening) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(connect(client, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  return client;
}

}  // namespace

// It fired never: the loop compared it with the time at which the callback had begun, for ever.
TEST_CASE("Loop: a timer that came due during a callback fires in the next round", "[net][loop]") {
  const auto listening = net::make_listening_socket({IpAddress::v4({127, 0, 0, 1}), 0});
  REQUIRE(listening);
  const int client = connect_to(*listening);
  {
    net::Loop loop;
    SlowAcceptor acceptor;
    auto listener = net::Listener::open(loop, *listening, acceptor);
    REQUIRE(listener);
    LastTimer timer(loop);
    const auto due = loop.now() + 10ms;
    loop.arm(timer, due);
    loop.run();
    CHECK(timer.fired_at >= due);
    listener->reset();
  }
  close(client);
  close(*listening);
}

TEST_CASE("Loop: tells of a turn that took longer than 50 ms, and of no other", "[net][loop]") {
  struct Holder final : coro::Timer {
    explicit Holder(net::Loop& owner) : loop(owner) {}
    void fire() override {
      const auto end = coro::Clock::now() + hold;
      while (coro::Clock::now() < end) {
      }
      loop.stop();
    }
    net::Loop& loop;
    std::chrono::milliseconds hold{};
  };
  struct Watcher final : net::LagWatcher {
    void loop_was_held(net::Duration duration, std::string_view) override { held = duration; }
    net::Duration held{};
  } watcher;
  net::Loop loop;
  loop.watch_lag(&watcher);
  Holder holder(loop);
  holder.hold = 80ms;
  loop.arm(holder, loop.now());
  loop.run();
  CHECK(watcher.held >= 80ms);
  watcher.held = {};
  std::this_thread::sleep_for(400ms);  // between two runs: our time, not the loop's
  holder.hold = 0ms;
  loop.arm(holder, loop.now());
  const auto begin = coro::Clock::now();
  loop.run();
  CHECK(watcher.held <= coro::Clock::now() - begin);
}

namespace {

struct KeepingAcceptor final : net::Acceptor {
  explicit KeepingAcceptor(net::Loop& owner) : loop(owner) {}
  void accepted(net::StreamPtr stream) override {
    first_input = stream->input();
    loop.stop();
  }
  net::Loop& loop;
  std::string first_input;
};

}  // namespace

TEST_CASE("Listener: what a client said before it was accepted is there at once", "[net][tcp]") {
  const auto listening = net::make_listening_socket({IpAddress::v4({127, 0, 0, 1}), 0});
  REQUIRE(listening);
  const int client = connect_to(*listening);
  REQUIRE(send(client, "EHLO x\r\n", 8, 0) == 8);
  {
    net::Loop loop;
    KeepingAcceptor acceptor(loop);
    auto listener = net::Listener::open(loop, *listening, acceptor);
    REQUIRE(listener);
    loop.run();
    CHECK(acceptor.first_input == "EHLO x\r\n");
    listener->reset();
  }
  close(client);
  close(*listening);
}
