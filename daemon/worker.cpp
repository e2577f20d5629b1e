#include "worker.hpp"

#include <postern/coro/sleep.hpp>
#include <postern/session/hearing.hpp>

#include <fmt/format.h>

#include <chrono>

#include "settings.hpp"

namespace postern::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 1min;
// What outlives the clients has so long to end when the worker does.
constexpr auto farewell_time = 10s;

}  // namespace

class Worker::Scope final : public plugin::HookScope {
 public:
  Scope(coro::Scheduler& scheduler, plugin::Lineup& lineup)
      : HookScope(plugin::ScopeKind::worker, lineup, scheduler, lineup.snapshot().site()) {}
};

class Worker::ThreadPool final : public plugin::Pool {
 public:
  explicit ThreadPool(net::Loop& loop) : loop_(loop) {}
  coro::Task<bool> run(net::PoolJob& job) override {
    net::PoolWait wait(loop_, job);
    const bool ran = co_await wait;
    co_return ran;
  }

 private:
  net::Loop& loop_;
};

// Where clients of one socket come in; shut while the worker takes nobody.
class Worker::Door final : private net::Acceptor {
 public:
  Door(Worker& worker, int socket, const session::Listener& listener)
      : worker_(worker), socket_(socket), listener_(listener) {}

  Result<void> open() {
    auto opened = net::Listener::open(worker_.loop_, socket_, *this);
    if (!opened) return fail(opened.error());
    open_ = std::move(*opened);
    return {};
  }
  void shut() { open_.reset(); }

 private:
  void accepted(net::StreamPtr stream) override { worker_.accepted(std::move(stream), listener_); }
  void accept_failed(const Error& error) override { worker_.accept_failed(error); }

  Worker& worker_;
  int socket_;
  const session::Listener& listener_;
  std::unique_ptr<net::Listener> open_;
};

// The time that transactions have to finish.
class Worker::Grace final : public coro::Timer {
 public:
  Grace(Worker& worker, net::Duration time) : worker_(worker) {
    worker_.loop_.arm(*this, worker_.loop_.now() + time);
  }
  ~Grace() { worker_.loop_.disarm(*this); }
  void fire() override { worker_.finish_now(); }

 private:
  Worker& worker_;
};

// No client is accepted for a while: the system had nothing left for one more.
class Worker::Recess final : public coro::Timer {
 public:
  static constexpr net::Duration length = std::chrono::seconds(1);

  explicit Recess(Worker& worker) : worker_(worker) {}
  ~Recess() { worker_.loop_.disarm(*this); }
  void begin() { worker_.loop_.arm(*this, worker_.loop_.now() + length); }
  void fire() override {
    if (worker_.has_room()) worker_.resume();
  }

 private:
  Worker& worker_;
};

namespace {

std::optional<net::HelperPrograms> ask_helper(net::Loop& loop, int socket) {
  if (socket < 0) return {};
  return net::HelperPrograms(loop, socket);
}

}  // namespace

Worker::Worker(net::Loop& loop, Log& log, const policy::Loaded& loaded, WorkerPlugins plugins,
               TlsClients tls_out, SettingsRead read, WorkerIdentity identity, Counters& counters)
    : loop_(loop),
      log_(log),
      counters_(counters),
      drain_timeout_(loaded.configuration.drain_timeout),
      files_(loop),
      network_(loop),
      settings_(session_settings(loaded.configuration)),
      listeners_(session_listeners(loaded.configuration)),
      pool_(std::make_unique<ThreadPool>(loop)),
      plugins_(std::move(plugins)),
      programs_(ask_helper(loop, identity.helper)),
      routes_(loop, files_, network_, programs_ ? &*programs_ : nullptr, *plugins_.resolver, log,
              loaded.configuration, std::move(tls_out), identity.workers),
      scope_(std::make_unique<Scope>(loop, *plugins_.lineup)),
      settings_watch_(loop, log, *plugins_.lineup, std::move(read)),
      services_{loop, files_, log, routes_.site(), *plugins_.lineup, *scope_, settings_, *this},
      sessions_(loop, "worker"),
      chores_(loop, "worker"),
      rounds_(loop, "worker"),
      most_sessions_(identity.most_sessions),
      id_prefix_(fmt::format(
          "{}-{}-{:x}-", identity.generation, identity.slot,
          std::chrono::duration_cast<std::chrono::milliseconds>(loop.wall().time_since_epoch())
              .count())) {
  services_.domains = routes_.domains();
  plugins_.lineup->services().provide<plugin::Routes>("postern", routes_.service());
  plugins_.lineup->services().provide<plugin::Pool>("postern", *pool_);
  loop_.watch_lag(this);
  rounds_.start(tick());
  rounds_.start(settings_watch_.watch());
}

coro::Task<void> Worker::tick() {
  while (true) {
    const plugin::Tick now{loop_.wall()};
    session::Hearing::tell(services_, plugin::Hook::tick, &now);
    auto slept = co_await coro::sleep(tick_interval);
    if (!slept) co_return;
  }
}

Worker::~Worker() { loop_.watch_lag(nullptr); }

void Worker::speak_tls(std::unique_ptr<net::TlsServer> tls) {
  tls_ = std::move(tls);
  services_.tls = tls_.get();
}

// The master has looked at all of it.
void Worker::use(const TlsState& state) {
  if (!tls_) return;
  if (auto keys = net::TicketKeys::parse(state.ticket_keys)) tls_->use(*keys);
  if (state.pairs.empty()) return;
  auto certificates = net::TlsCertificates::make(state.pairs);
  if (certificates)
    tls_->use(std::move(*certificates));
  else
    log_.error("{}; the certificates stay as they were", certificates.error().text);
}

Result<void> Worker::serve(int socket, std::size_t listener) {
  auto& door = doors_[socket];
  door = std::make_unique<Door>(*this, socket, listeners_.at(listener));
  if (paused_ || draining_) return {};
  return door->open();
}

void Worker::release(int socket) { doors_.erase(socket); }

// Above 95 % a client is told to come back; at 100 % clients wait in the listening sockets' queues,
// where another worker may take them, until there is room for them (90 %).
void Worker::accepted(net::StreamPtr stream, const session::Listener& listener) {
  const std::size_t running = sessions_.running() + 1;
  auto session = std::make_unique<session::Session>(std::move(stream), services_, listener,
                                                    fmt::format("{}{:x}", id_prefix_, ++count_));
  registry_.push_back(*session);
  const bool full = running > most_sessions_ - most_sessions_ / 20;
  counters_.add(Count::sessions);
  if (full) counters_.add(Count::sessions_overload);
  session::Session::start(sessions_, std::move(session), full);
  if (running < most_sessions_ || paused_) return;
  log_.warning("{} sessions: new clients wait (limits.sessions, or the descriptor limit)", running);
  pause();
}

// Our own limit keeps us from this; the whole system's may not.
void Worker::accept_failed(const Error& error) {
  if (paused_) return;
  log_.error("{}; new clients wait for a second", error.describe());
  pause();
  if (!recess_) recess_ = std::make_unique<Recess>(*this);
  recess_->begin();
}

WorkerState Worker::state() {
  return {sessions_.running(), most_sessions_, listeners_.size(), paused_,
          draining_,           routes_.state()};
}

store::StoreState Worker::store_state() const { return plugins_.lineup->store().state(); }

bool Worker::has_room() const {
  return sessions_.running() <= most_sessions_ - most_sessions_ / 10;
}

void Worker::session_ended() {
  const bool in_recess = recess_ && recess_->armed();
  if (paused_ && !in_recess && has_room()) resume();
}

void Worker::pause() {
  paused_ = true;
  for (auto& [socket, door] : doors_) door->shut();
}

void Worker::resume() {
  paused_ = false;
  for (auto& [socket, door] : doors_) {
    auto opened = door->open();
    if (opened) continue;
    return accept_failed(opened.error());
  }
}

void Worker::drain() {
  if (draining_) return;
  draining_ = true;
  doors_.clear();
  registry_.each([](session::Session& session) { session.drain(); });
  grace_ = std::make_unique<Grace>(*this, drain_timeout_);
  chores_.start(wind_down());
}

void Worker::finish_now() {
  drain();
  registry_.each([](session::Session& session) { session.shut_down(); });
}

coro::Task<void> Worker::wind_down() {
  co_await sessions_.join();
  grace_.reset();
  rounds_.stop(Errc::cancelled);
  co_await rounds_.join();
  auto ended = co_await scope_->join(farewell_time);
  scope_->context().stop(Errc::cancelled);
  if (!ended) ended = co_await scope_->join(farewell_time);
  if (!ended) log_.error("{} tasks of plugins have not ended", scope_->tasks());
  co_await routes_.close();
  loop_.stop();
}

void Worker::loop_was_held(net::Duration duration, std::string_view who) {
  log_.warning("the loop was held for {} ms, last by {}",
               std::chrono::duration_cast<std::chrono::milliseconds>(duration).count(),
               who.empty() ? "the worker" : who);
}

}  // namespace postern::daemon
