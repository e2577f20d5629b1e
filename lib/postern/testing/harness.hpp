// A whole worker in simulation, for tests of plugins: sessions, their plugins, a resolver, files
// and a downstream, in virtual time.
//
//   testing::Harness h;
//   h.load("dnsbl", R"(zones = ["bl.example"])");
//   h.dns.add_a("2.0.0.127.bl.example", "127.0.0.2");
//   h.client.connect("127.0.0.2");
//   CHECK(h.client.greeting().code == 220);
//   CHECK(h.client.command("EHLO client.example").code == 250);
//   …
//   CHECK(h.end() == "");   // nothing is left: no task, stream, connection
//
// Recipients at example.net are taken, and what they are sent arrives at `downstream`.
#pragma once

#include <postern/base/log.hpp>
#include <postern/coro/scope.hpp>
#include <postern/deliver/routes.hpp>
#include <postern/plugin/module.hpp>
#include <postern/policy/bundle.hpp>
#include <postern/policy/recipients.hpp>
#include <postern/session/network_service.hpp>
#include <postern/session/route_service.hpp>
#include <postern/session/session.hpp>
#include <postern/testing/harness_client.hpp>
#include <postern/testing/memory_files.hpp>
#include <postern/testing/memory_store.hpp>
#include <postern/testing/scripted_downstream.hpp>
#include <postern/testing/scripted_resolver.hpp>
#include <postern/testing/sim_network.hpp>
#include <postern/testing/sim_programs.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::testing {

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

class Harness : private session::SessionHost {
 public:
  static const SocketAddress first, second;  // where downstreams listen
  static constexpr const char* maildir = "/mail";
  static constexpr const char* spool = "/spool";

  explicit Harness(std::uint64_t seed = 1, LinkOptions downstream_link = {});
  ~Harness();

  // ---- Plugins: before the first client ----
  // A [[plugin]] block, behind those before. `use` is a plugin's name: one that add() gave, or a
  // module, of the folder that POSTERN_PLUGIN_PATH names or of this Postern. `keys` is TOML. What
  // is wrong with it throws std::runtime_error when the first client connects.
  void load(std::string_view use, std::string_view keys = {});
  // A class of the test as a plugin.
  template <typename P>
  void add(const char* name) {
    add(name, plugin::type_of<P>(name),
        []() -> std::unique_ptr<plugin::Plugin> { return std::make_unique<P>(); });
  }
  void configure(std::string_view toml);                               // top of the file
  void domain(const std::string& domain_name, std::string_view toml);  // domains/NAME.toml
  void list(const std::string& path, std::string_view content);        // a file that a key names
  // What `postern check` would say of all this: empty when there is nothing to say.
  std::vector<std::string> problems();
  plugin::Lineup& lineup();
  session::Services& services();
  void tick();  // as a worker's, once a minute

  // ---- The downstream ----
  void listen(const ServerAddress& address, ScriptedDownstream& server);
  void listen() { listen(first, downstream); }
  // The route. Change `pool` before forward(), `settings` before the first client.
  deliver::Pool& forward();
  void deliver_to_maildir();
  // ... of a domain; after the first client has connected, or services() was asked for.
  deliver::SmtpRoute& route(const std::string& domain, const deliver::PoolSettings& pool_settings);

  // ---- Clients ----
  // A new one, as it sees its connection. `full`: the worker is at its cap.
  net::StreamPtr connect(LinkOptions link = {}, bool full = false);
  net::StreamPtr connect_from(const IpAddress& address, LinkOptions link = {}, bool full = false);
  // What plugins have written into a file of their own.
  const std::vector<std::string>& lines(const std::string& path) const;
  // From now on it cannot be opened; or can again.
  void fail_lines(const std::string& path, bool fails = true);

  // How often the session of the newest client has written; only while it lives.
  std::size_t writes() const { return session_end_->writes(); }
  MemoryStream& session_end() { return *session_end_; }
  void drain();
  void shut_down();
  std::size_t running() const { return sessions_.running(); }
  deliver::Pool& the_pool() { return forward_->pool(); }

  void run_until_idle() { sim.run_until_idle(); }
  void run_for(Duration duration) { sim.run_for(duration); }
  std::size_t live_tasks() const { return sim.live_tasks(); }
  // Lets all end that will by itself, closes the route and says what is left; "" when nothing is.
  // `hung`: connections that the downstream's script holds for ever.
  std::string end(std::size_t hung = 0);

  SimScheduler sim;
  SimScheduler& clock = sim;
  KeptLog log;
  MemoryFiles files;
  SimNetwork network;
  SimPrograms programs;
  ScriptedDownstream downstream;
  ScriptedResolver dns;
  MemoryStore store{sim};
  policy::RecipientTable recipients;  // who is taken, behind all plugins
  session::Settings settings;
  session::Listener listener;     // of clients that connect from now on
  net::TlsServer* tls = nullptr;  // what they speak TLS with
  deliver::PoolSettings pool;
  HarnessClient client{*this};
  Counters counted;

 private:
  class Plugins;
  class WorkerScope;
  class SimPool;
  class KeptLines;
  using Maker = std::unique_ptr<plugin::Plugin> (*)();
  void session_ended() override {}
  Counters& counters() override { return counted; }
  void add(const char* name, policy::PluginType type, Maker make);
  void open();

  std::unique_ptr<Plugins> plugins_;
  std::unique_ptr<SimPool> pool_;
  std::unique_ptr<KeptLines> lines_;
  std::unique_ptr<plugin::Lineup> lineup_;
  std::unique_ptr<WorkerScope> worker_;
  deliver::Routes routes_;
  std::optional<session::RouteService> route_service_;
  session::NetworkService network_service_{network};
  deliver::Route* route_ = nullptr;
  deliver::SmtpRoute* forward_ = nullptr;
  std::unique_ptr<session::Services> services_;
  coro::Scope sessions_;
  coro::List<session::Session, session::SessionTag> registry_;
  MemoryStream* session_end_ = nullptr;
  std::size_t count_ = 0;
  bool ended_ = false;
};

}  // namespace postern::testing
