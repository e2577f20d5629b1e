#include <postern/deliver/pool.hpp>
#include <postern/smtp/replies.hpp>
#include <postern/smtp/timeouts.hpp>

#include <utility>

namespace postern::deliver {
namespace {

// Postfix answers each command a second later after ten refusals, and ends the session after twenty
// (smtpd_soft_error_limit, smtpd_hard_error_limit); a message that it takes starts anew.
constexpr std::size_t most_refusals = 8;

}  // namespace

smtp::Reply reply_for(const Error& error) {
  switch (error.code) {
    case Errc::refused:
    case Errc::unreachable:
      return smtp::replies::downstream_unreachable();
    case Errc::closed:
    case Errc::reset:
    case Errc::timed_out:
      return smtp::replies::downstream_lost();
    case Errc::malformed:
    case Errc::too_long:
      return smtp::replies::downstream_malformed();
    default:
      return smtp::replies::local_error();
  }
}

// --- Leases and turns

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    give_back();
    connection = std::move(other.connection);
    pool_ = std::exchange(other.pool_, nullptr);
  }
  return *this;
}

void Lease::give_back() {
  if (Pool* pool = std::exchange(pool_, nullptr)) pool->take_back(std::move(connection));
}

bool Pool::Turn::begin() {
  if (ConnectionPtr kept = pool_.take_idle()) {
    lease_ = Lease(pool_, std::move(kept));
    return false;
  }
  if (pool_.used_ < pool_.most_connections()) {
    ++pool_.used_;
    lease_ = Lease(pool_, nullptr);
    return false;
  }
  if (!pool_.lenders_.empty()) {
    lease_ = pool_.lenders_.pop_front().lend();
    return false;
  }
  pool_.waiters_.push_back(*this);
  return true;
}

Result<Lease> Pool::Turn::await_resume() {
  if (stopped()) return stop_error();
  return std::move(lease_);
}

// --- Kept connections

// Waits for its next use, its time, or the downstream to close it.
class Pool::Idle final : public coro::Timer, public net::EndWatcher {
 public:
  Idle(Pool& pool, ConnectionPtr connection) : pool_(pool), connection_(std::move(connection)) {}
  ~Idle() { pool_.scope_.context().scheduler().disarm(*this); }

  void wait() {
    coro::Scheduler& scheduler = pool_.scope_.context().scheduler();
    scheduler.arm(*this, scheduler.now() + pool_.settings_.keep_idle);
    connection_->stream().watch_end(this);
  }
  ConnectionPtr take() {
    connection_->stream().watch_end(nullptr);
    return std::move(connection_);
  }
  void fire() override { pool_.drop(*this); }
  void stream_ended(Errc) override { pool_.drop(*this); }

 private:
  Pool& pool_;
  ConnectionPtr connection_;
};

Pool::Pool(coro::Scheduler& scheduler, net::Network& network, Log& log, PoolSettings settings,
           net::Programs* programs)
    : network_(network),
      programs_(programs),
      log_(log),
      settings_(std::move(settings)),
      servers_(settings_.to, settings_.max_connections),
      scope_(scheduler, "downstream pool"),
      looks_(scheduler, "look at a downstream") {}

Pool::~Pool() = default;

bool Pool::may_be_kept(const Connection& connection) const {
  return !per_client() && !closing_ && connection.messages < settings_.messages_per_connection &&
         connection.refusals < most_refusals;
}

void Pool::take_back(ConnectionPtr connection) {
  --used_;
  if (connection && !connection->stream().ended()) {
    if (may_be_kept(*connection)) {
      ++used_;
      connection->reused = true;
      idle_.emplace_back(*this, std::move(connection));
      idle_.back().wait();
    } else {
      retire(std::move(connection));
    }
  }
  serve_waiters();
}

void Pool::park(Lender& lender) {
  if (waiters_.empty())
    lenders_.push_back(lender);
  else
    lender.lend();  // comes back to us as it goes, and to the first who waits
}

void Pool::serve_waiters() {
  while (!waiters_.empty()) {
    ConnectionPtr kept = take_idle();
    if (!kept && used_ >= most_connections()) return;
    if (!kept) ++used_;
    Turn& next = waiters_.pop_front();
    next.lease_ = Lease(*this, std::move(kept));
    next.resume_soon();
  }
}

ConnectionPtr Pool::take_idle() {
  if (idle_.empty()) return nullptr;
  ConnectionPtr connection = idle_.back().take();
  idle_.pop_back();
  return connection;
}

void Pool::drop(Idle& idle) {
  ConnectionPtr connection = idle.take();
  idle_.remove_if([&](const Idle& each) { return &each == &idle; });
  --used_;
  if (!connection->stream().ended()) retire(std::move(connection));
  serve_waiters();
}

void Pool::retire(ConnectionPtr connection) {
  connection->counted = {};  // its place may be taken
  scope_.start(say_quit(std::move(connection)));
}

coro::Task<void> Pool::say_quit(ConnectionPtr connection) {
  auto settled = co_await connection->settle(smtp::timeouts::downstream_quit);
  if (!settled) co_return;
  co_await connection->command("QUIT\r\n", smtp::timeouts::downstream_quit);
}

std::size_t Pool::most_connections() { return servers_.room(scope_.context().scheduler().now()); }

PoolState Pool::state() {
  PoolState state;
  const auto now = scope_.context().scheduler().now();
  state.servers = servers_.state(now);
  state.kept = idle_.size();
  state.used = used_ - idle_.size();
  waiters_.each([&](const Turn&) { ++state.waiting; });
  state.most = servers_.room(now);
  return state;
}

coro::Task<void> Pool::close() {
  closing_ = true;
  while (ConnectionPtr connection = take_idle()) {
    --used_;
    retire(std::move(connection));
  }
  looks_.stop(Errc::cancelled);
  co_await looks_.join();
  co_await scope_.join();
}

}  // namespace postern::deliver
