// A whole worker in simulation: sessions, a route, files and downstreams, in virtual time.
//
//   World world(seed);
//   world.listen();                      // one scripted downstream at World::first
//   world.forward();                     // ... and a route to it; or world.deliver_to_maildir()
//   auto stream = world.connect();       // a client; its session runs
//   ...
//   CHECK(world.end() == "");            // nothing is left: no task, stream, slot
#pragma once

#include <postern/base/log.hpp>
#include <postern/coro/scope.hpp>
#include <postern/deliver/maildir.hpp>
#include <postern/deliver/smtp_route.hpp>
#include <postern/session/session.hpp>
#include <postern/testing/memory_files.hpp>
#include <postern/testing/scripted_downstream.hpp>
#include <postern/testing/sim_network.hpp>

#include <memory>
#include <string>
#include <vector>

namespace postern::test {

// Keeps what was logged.
class KeptLog final : public Log {
 public:
  KeptLog() : Log(Level::debug) {}
  void write(Level level, std::string_view message) override {
    lines.push_back(std::string(name(level)) + ": " + std::string(message));
  }
  void record(std::string_view json_object) override { records.emplace_back(json_object); }

  std::vector<std::string> lines;
  std::vector<std::string> records;  // JSON
};

class World final : private session::SessionHost {
 public:
  static const SocketAddress first, second;  // where downstreams listen
  static constexpr const char* maildir = "/mail";
  static constexpr const char* spool = "/spool";

  explicit World(std::uint64_t seed = 1, testing::LinkOptions downstream_link = {});
  ~World();

  // Serves `address` by `downstream` (or by the World's own).
  void listen(const SocketAddress& address, testing::ScriptedDownstream& downstream);
  void listen() { listen(first, downstream); }

  // The route. Change `pool` before forward(), `settings` before the first connect().
  deliver::Pool& forward();
  void deliver_to_maildir();

  // A new client, as it sees its connection. `full`: the worker is at its cap.
  net::StreamPtr connect(testing::LinkOptions link = {}, bool full = false);
  // How often the session of the newest client has written; only while it lives.
  std::size_t writes() const { return session_end_->writes(); }
  testing::MemoryStream& session_end() { return *session_end_; }

  void drain();
  void shut_down();
  std::size_t running() const { return sessions_.running(); }
  deliver::Pool& the_pool() { return forward_->pool(); }

  // Lets all end that will by itself, closes the route and says what is left; "" when nothing is.
  // `hung`: connections that the downstream's script holds for ever.
  std::string end(std::size_t hung = 0);

  testing::SimScheduler sim;
  KeptLog log;
  testing::MemoryFiles files;
  testing::SimNetwork network;
  testing::ScriptedDownstream downstream;
  policy::RecipientTable recipients;
  session::Settings settings;
  deliver::PoolSettings pool;

 private:
  void session_ended() override {}

  std::unique_ptr<deliver::Route> route_;
  deliver::SmtpRoute* forward_ = nullptr;
  std::unique_ptr<session::Services> services_;
  coro::Scope sessions_;
  coro::List<session::Session, session::SessionTag> registry_;
  testing::MemoryStream* session_end_ = nullptr;
  std::size_t count_ = 0;
  bool ended_ = false;
};

}  // namespace postern::test
