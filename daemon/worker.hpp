// A worker: one loop, its sessions, and what they share.
#pragma once

#include <postern/base/log.hpp>
#include <postern/coro/scope.hpp>
#include <postern/deliver/route.hpp>
#include <postern/dns/ares_resolver.hpp>
#include <postern/net/disk_files.hpp>
#include <postern/net/helper_programs.hpp>
#include <postern/net/tcp.hpp>
#include <postern/net/tls.hpp>
#include <postern/plugin/line_up.hpp>
#include <postern/plugin/pool.hpp>
#include <postern/policy/load.hpp>
#include <postern/session/session.hpp>
#include <postern/store/store.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol.hpp"
#include "routes.hpp"
#include "settings_watch.hpp"

namespace postern::daemon {

struct WorkerIdentity {
  std::size_t slot = 0;  // which of the site's workers; 0-based
  std::uint64_t generation = 1;
  std::size_t workers = 1;           // how many share the downstream's connections
  std::size_t most_sessions = 1000;  // see most_sessions()
  int helper = -1;                   // where programs are asked for; -1: there are none
};

// For status.
struct WorkerState {
  std::size_t sessions = 0;
  std::size_t most_sessions = 0;
  std::size_t listeners = 0;
  bool paused = false;  // new clients wait
  bool draining = false;
  std::vector<deliver::PoolState> downstreams;
};

// What the plugins of a worker are made of; the loader outlives all of it.
struct WorkerPlugins {
  std::unique_ptr<dns::CachingResolver> resolver;
  std::unique_ptr<store::Store> store;
  std::unique_ptr<plugin::Lineup> lineup;
};

// Everything runs on `loop`'s thread.
class Worker final : private net::LagWatcher, private session::SessionHost {
 public:
  // `loaded` must be usable and outlive the worker, as must `counters`.
  Worker(net::Loop& loop, Log& log, const policy::Loaded& loaded, WorkerPlugins plugins,
         TlsClients tls_out, SettingsRead read, WorkerIdentity identity, Counters& counters);
  ~Worker();

  // What its listeners speak TLS with, before any is served; null: none does.
  void speak_tls(std::unique_ptr<net::TlsServer> tls);
  // From now on, for clients that come.
  void use(const TlsState& state);

  // Accepts on a listening socket that somebody else owns, for the configuration's [[listen]] block
  // of that index; stops to. Errors: descriptors, io.
  Result<void> serve(int socket, std::size_t listener);
  void release(int socket);

  // SIGTERM: accepts nothing more, tells idle sessions 421, lets transactions finish for
  // `drain_timeout`, then ends them too; stops the loop when all have ended.
  void drain();
  // The second SIGTERM: 421 to everybody now. A message that is being committed is waited for.
  void finish_now();

  std::size_t sessions() const { return sessions_.running(); }
  WorkerState state();
  store::StoreState store_state() const;

 private:
  class Door;
  class Grace;
  class Recess;
  class Scope;
  class ThreadPool;
  void accepted(net::StreamPtr stream, const session::Listener& listener);
  void accept_failed(const Error& error);
  void loop_was_held(net::Duration duration, std::string_view who) override;
  void session_ended() override;
  Counters& counters() override { return counters_; }
  coro::Task<void> wind_down();
  coro::Task<void> tick();
  bool has_room() const;
  void pause();
  void resume();

  net::Loop& loop_;
  Log& log_;
  Counters& counters_;
  net::Duration drain_timeout_;
  net::DiskFiles files_;
  net::TcpNetwork network_;
  session::Settings settings_;
  std::vector<session::Listener> listeners_;  // of the [[listen]] blocks
  std::unique_ptr<ThreadPool> pool_;          // outlives the plugins
  WorkerPlugins plugins_;
  std::optional<net::HelperPrograms> programs_;
  WorkerRoutes routes_;
  std::unique_ptr<net::TlsServer> tls_;
  std::unique_ptr<Scope> scope_;  // of what outlives the clients
  SettingsWatch settings_watch_;
  session::Services services_;
  coro::Scope sessions_;
  coro::Scope chores_;  // the winding down
  coro::Scope rounds_;  // the tick, the settings
  coro::List<session::Session, session::SessionTag> registry_;
  std::map<int, std::unique_ptr<Door>> doors_;  // of the sockets that are served
  std::size_t most_sessions_;
  std::string id_prefix_;
  std::uint64_t count_ = 0;
  bool paused_ = false;
  bool draining_ = false;
  std::unique_ptr<Grace> grace_;
  std::unique_ptr<Recess> recess_;
};

}  // namespace postern::daemon
