#include "worker_process.hpp"

#include <postern/base/json.hpp>
#include <postern/base/log_writer.hpp>
#include <postern/net/channel.hpp>
#include <postern/net/loop.hpp>
#include <postern/net/signals.hpp>
#include <postern/policy/load.hpp>
#include <postern/store/lmdb_store.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <optional>

#include "certificates.hpp"
#include "privileges.hpp"
#include "protocol.hpp"
#include "settings.hpp"
#include "tally.hpp"
#include "worker.hpp"

namespace postern::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto beat_interval = 1s;

// What the master sends before anything else.
struct Orders {
  Hello hello;
  policy::Bundle bundle;
};

// One pool of downstreams, as this worker sees it.
void add_downstream(json::Writer& json, const deliver::PoolState& pool) {
  json.begin().key("in_use").number(pool.used).key("kept").number(pool.kept);
  json.key("waiting").number(pool.waiting).key("most").number(pool.most).begin_array("servers");
  for (const deliver::ServerState& server : pool.servers) {
    json.begin().key("to").string(server.address).key("weight").number(server.weight);
    json.key("up").boolean(server.up).key("left_alone_ms");
    json.number(std::chrono::duration_cast<std::chrono::milliseconds>(server.left_alone).count());
    json.key("open").number(server.open).key("allowed").number(server.allowed);
    json.key("opened").number(server.opened).key("failed").number(server.failed);
    json.key("crowded").number(server.crowded).end();
  }
  json.end().end();
}

// Waits. Errors: closed (the master is gone), malformed.
Result<Orders> receive_orders(int channel, Decoder& decoder) {
  std::optional<Hello> hello;
  std::array<char, 65536> buffer;
  for (;;) {
    auto message = decoder.next();
    if (!message) return fail(message.error());
    if (!*message) {
      const ssize_t count = recv(channel, buffer.data(), buffer.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return fail(Errc::closed);
      decoder.feed({buffer.data(), static_cast<std::size_t>(count)});
      continue;
    }
    if (auto* first = std::get_if<Hello>(&**message)) {
      hello = std::move(*first);
      continue;
    }
    const auto* bytes = std::get_if<BundleBytes>(&**message);
    if (!bytes || !hello) return fail(Errc::malformed, "orders come as hello, then bundle");
    auto bundle = policy::Bundle::parse(bytes->bytes);
    if (!bundle) return fail(bundle.error());
    return Orders{std::move(*hello), std::move(*bundle)};
  }
}

// The rest of a worker's life: the loop, with ears for the master, signals and the second hand.
class WorkerProcess final : private net::ChannelReader,
                            private net::SignalHandler,
                            private coro::Timer {
 public:
  WorkerProcess(net::Loop& loop, LogWriter& log, const policy::Loaded& loaded,
                WorkerPlugins plugins, TlsClients tls_out, SettingsRead read,
                const WorkerIdentity& identity, Counters& counters, const Hello& hello,
                Decoder decoder)
      : loop_(loop),
        log_(log),
        identity_(identity),
        worker_(loop, log, loaded, std::move(plugins), std::move(tls_out), std::move(read),
                identity, counters),
        sockets_(hello.sockets),
        listeners_(hello.listeners),
        decoder_(std::move(decoder)) {}
  ~WorkerProcess() { loop_.disarm(*this); }

  void speak_tls(std::unique_ptr<net::TlsServer> tls) { worker_.speak_tls(std::move(tls)); }

  Result<void> run(int channel) {
    auto signals = net::Signals::open(loop_, {SIGTERM, SIGUSR1}, *this);
    if (!signals) return fail(signals.error());
    auto opened = net::Channel::open(loop_, channel, *this);
    if (!opened) return fail(opened.error());
    channel_ = std::move(*opened);
    received({});  // what came with the orders
    channel_->send(encode(Ready{}));
    due_ = loop_.now();
    fire();
    loop_.run();
    channel_.reset();
    return {};
  }

 private:
  void fire() override {  // once a second
    const auto lag = std::max(coro::Clock::now() - due_, net::Duration::zero());
    lag_us_ = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(lag).count());
    channel_->send(encode(Beat{lag_us_, worker_.sessions()}));
    due_ = loop_.now() + beat_interval;
    loop_.arm(*this, due_);
  }

  void received(std::string_view octets) override {
    decoder_.feed(octets);
    for (;;) {
      auto message = decoder_.next();
      if (!message) {
        log_.error("the master talks nonsense: {}", message.error().describe());
        return channel_ended();
      }
      if (!*message) return;
      obey(**message);
    }
  }

  void obey(const Message& message) {
    if (const auto* serve = std::get_if<Serve>(&message))
      start_serving(serve->socket);
    else if (const auto* release = std::get_if<Release>(&message))
      worker_.release(release->socket);
    else if (const auto* tls = std::get_if<TlsState>(&message))
      worker_.use(*tls);
    else if (std::holds_alternative<Drain>(message))
      drain();
    else if (std::holds_alternative<Reopen>(message))
      log_.reopen();
    else if (const auto* ask = std::get_if<Ask>(&message))
      channel_->send(encode(Answer{ask->number, answer(ask->command)}));
    else if (std::holds_alternative<Finish>(message)) {
      drain();
      worker_.finish_now();
    }
  }

  // What nobody else knows of this worker.
  std::string answer(std::string_view command) {
    std::string line;
    json::Writer json(line);
    json.begin().key("worker").number(identity_.slot).key("generation");
    json.number(identity_.generation).key("pid").number(getpid());
    if (command == "status") {
      const WorkerState state = worker_.state();
      json.key("sessions").number(state.sessions).key("most_sessions").number(state.most_sessions);
      json.key("listeners").number(state.listeners).key("paused").boolean(state.paused);
      json.key("draining").boolean(state.draining).key("lag_us").number(lag_us_);
      json.key("log_lines_dropped").number(log_.dropped());
      describe_store(json);
      json.begin_array("downstreams");
      for (const deliver::PoolState& pool : state.downstreams) add_downstream(json, pool);
      json.end();
    } else {
      json.key("error").string("a worker knows no such command");
    }
    json.end();
    return line;
  }

  void describe_store(json::Writer& json) const {
    const store::StoreState state = worker_.store_state();
    json.begin("state_store").key("usable").boolean(state.usable);
    if (!state.usable) json.key("problem").string(state.problem);
    json.key("entries").number(state.entries).key("octets").number(state.octets);
    json.key("size").number(state.size).key("queued").number(state.queued);
    json.key("expired").number(state.expired).key("evicted").number(state.evicted);
    json.key("failed").number(state.failed).end();
  }

  void start_serving(int socket) {
    const auto found = std::find(sockets_.begin(), sockets_.end(), socket);
    if (draining_ || found == sockets_.end()) return;
    const auto index = static_cast<std::size_t>(found - sockets_.begin());
    auto served = worker_.serve(socket, listeners_.at(index));
    if (served) return;
    log_.error("serving a listening socket: {}; this worker gives up", served.error().describe());
    drain();  // the master gives the socket to another
  }

  // However it is asked for and how often: once. The sockets go too: were the master gone, clients
  // would wait in their queues for nobody.
  void drain() {
    if (draining_) return;
    draining_ = true;
    channel_->send(encode(Draining{}));
    worker_.drain();
    for (const int socket : sockets_) close(socket);
    sockets_.clear();
  }

  void channel_ended() override {
    if (!draining_) log_.warning("the master is gone: finishing what is under way");
    drain();
  }

  void signalled(int number) override {
    if (number == SIGUSR1) return log_.reopen();
    log_.info("SIGTERM: finishing what is under way");
    drain();
  }

  net::Loop& loop_;
  LogWriter& log_;
  const WorkerIdentity identity_;
  Worker worker_;
  std::vector<int> sockets_;
  std::vector<std::uint64_t> listeners_;  // of each socket: its [[listen]] block
  Decoder decoder_;
  std::unique_ptr<net::Channel> channel_;
  coro::TimePoint due_;
  std::uint64_t lag_us_ = 0;  // of the last beat
  bool draining_ = false;
};

// Errors: the text is for the administrator.
Result<void> work(int channel, Orders orders, Decoder decoder) {
  auto tally = Tally::open(orders.hello.counters);
  if (!tally) return fail(tally.error());
  if (orders.hello.row >= Tally::rows) return fail(Errc::malformed, "a row of no counters");
  const auto master = policy::load_master(orders.bundle);
  auto dropped = drop_privileges(master.settings.user, master.settings.group);
  if (!dropped) return dropped;
  plugin::Loader loader(policy::plugin_path(orders.bundle));
  const policy::Loaded loaded = policy::load(orders.bundle, loader);
  if (!loaded.usable()) return fail(Errc::malformed, loaded.lines().front());
  const policy::LogSettings& log_settings = loaded.configuration.log;
  auto target = LogTarget::open(log_settings.target.text);
  if (!target) return fail(target.error());
  LogWriter::Options options = log_options(log_settings);
  options.fields = {{"worker", std::to_string(orders.hello.slot)},
                    {"generation", std::to_string(orders.hello.generation)}};
  LogWriter log(std::move(*target), std::move(options));
  log.start();
  net::Loop loop;
  auto most = most_sessions(loaded.configuration);
  if (!most) return fail(most.error());
  const WorkerIdentity identity{orders.hello.slot, orders.hello.generation, orders.hello.workers,
                                *most, orders.hello.helper};
  WorkerPlugins plugins;
  plugins.resolver = dns::make_resolver(loop, dns_settings(loaded.configuration));
  plugin::LinedUp lined_up =
      plugin::line_up(loader, orders.bundle, loop, log, *plugins.resolver, loaded.snapshot);
  if (!lined_up.usable()) return fail(Errc::malformed, lined_up.problems.front().line());
  plugins.lineup = std::move(lined_up.lineup);
  const policy::StateSettings& state = loaded.configuration.state;
  plugins.store = std::make_unique<store::LmdbStore>(
      loop, log, store::LmdbPlace{state.path.text, state.size, true});
  plugins.lineup->use(*plugins.store);
  auto tls = make_tls_server(loaded.configuration, orders.bundle);
  if (!tls) return fail(Errc::malformed, fmt::format("tls: {}", tls.error().text));
  auto tls_out = TlsClients::make(loaded.configuration, orders.bundle);
  if (!tls_out)
    return fail(Errc::malformed, fmt::format("forward.tls_ca: {}", tls_out.error().text));
  SettingsRead read(orders.bundle);
  orders.bundle = {};  // lists can be large
  malloc_trim(0);      // and lay between what stays
  WorkerProcess process(loop, log, loaded, std::move(plugins), std::move(*tls_out), std::move(read),
                        identity, tally->at(orders.hello.row), orders.hello, std::move(decoder));
  process.speak_tls(std::move(*tls));
  return process.run(channel);
}

int fail_with(int channel, const std::string& text) {
  const std::string frame = encode(Failed{text.empty() ? "unknown error" : text});
  (void)!send(channel, frame.data(), frame.size(), MSG_NOSIGNAL);
  return 1;
}

// Until the loop runs. A terminal's signals reach the whole process group; workers wait for what
// the master makes of them.
void ignore_signals() {
  for (const int number : {SIGPIPE, SIGXFSZ, SIGINT, SIGHUP, SIGUSR1, SIGUSR2})
    std::signal(number, SIG_IGN);
}

}  // namespace

int run_worker(int channel) {
  ignore_signals();
  prctl(PR_SET_NAME, "posternd", 0, 0, 0);  // the kernel took it from /proc/self/exe
  fcntl(channel, F_SETFD, FD_CLOEXEC);
  setenv("UV_TCP_SINGLE_ACCEPT", "0", 1);  // libuv would sleep 1 ns between two accepts
  setenv("UV_THREADPOOL_SIZE", "8", 0);    // fsync waits for the disk: more at a time than cores
  Decoder decoder(Decoder::Side::worker);
  try {
    auto orders = receive_orders(channel, decoder);
    if (!orders)
      return orders.error().code == Errc::closed ? 0 : fail_with(channel, orders.error().text);
    auto done = work(channel, std::move(*orders), std::move(decoder));
    return done ? 0 : fail_with(channel, done.error().text);
  } catch (const std::exception& error) {
    return fail_with(channel, fmt::format("a worker could not start: {}", error.what()));
  }
}

}  // namespace postern::daemon
