// The connections to one downstream: capped, kept for the next message, lent on while a slow client
// sends its body, and opened at another address when one does not answer.
#pragma once

#include <postern/base/log.hpp>
#include <postern/coro/scope.hpp>
#include <postern/deliver/connection.hpp>
#include <postern/deliver/identity.hpp>
#include <postern/net/network.hpp>

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::deliver {

using ConnectionPtr = std::unique_ptr<Connection>;

// What is due in how much time; defaults from smtp/timeouts.hpp.
struct DownstreamTimeouts {
  net::Duration connect, greeting, mail, rcpt, data, block, final;
  bool operator==(const DownstreamTimeouts&) const = default;
};

struct PoolSettings {
  std::vector<SocketAddress> to;  // tried in order
  std::string hostname;           // what we call ourselves
  Identity identity = Identity::none;
  std::size_t max_connections = 20;
  std::size_t messages_per_connection = 10;
  net::Duration keep_idle = std::chrono::seconds(10);
  net::Duration wait_for_slot = std::chrono::seconds(60);
  DownstreamTimeouts timeouts;
  bool operator==(const PoolSettings&) const = default;
};

class Pool;

// The right to one connection, and the connection itself once it is open. Given back when it goes.
class Lease {
 public:
  Lease() = default;
  Lease(Pool& pool, ConnectionPtr kept) : connection(std::move(kept)), pool_(&pool) {}
  Lease(Lease&& other) noexcept
      : connection(std::move(other.connection)), pool_(std::exchange(other.pool_, nullptr)) {}
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { give_back(); }
  // The connection, if still here, must be ready for a next message: no transaction in it, no reply
  // outstanding but those of send_and_forget(). Drop it before if it is not.
  void give_back();
  explicit operator bool() const { return pool_ != nullptr; }

  ConnectionPtr connection;

 private:
  Pool* pool_ = nullptr;
};

// A delivery whose body still arrives: it gives up its lease when others wait. The connection it
// lends is ready for a next message, or dropped.
class Lender : public coro::ListHook<struct LenderTag> {
 public:
  virtual Lease lend() = 0;

 protected:
  ~Lender() = default;
};

class Pool {
 public:
  Pool(coro::Scheduler& scheduler, net::Network& network, Log& log, PoolSettings settings);
  ~Pool();

  // Waits for a place, in the order of asking: with a kept connection, or without one.
  // Errors: cancelled, timed_out.
  class Turn final : public coro::Wait {
   public:
    explicit Turn(Pool& pool)
        : Wait("downstream slot", pool.settings_.wait_for_slot), pool_(pool) {}
    Result<Lease> await_resume();

   private:
    friend class Pool;
    bool begin() override;
    Pool& pool_;
    Lease lease_;
  };
  Turn turn() { return Turn(*this); }

  // Opens a connection, greets, and says who the client is where that is done per connection.
  // The error is the reply for our client: 451 4.4.1, 4.4.2, 4.3.2 or 4.3.0.
  coro::Task<tl::expected<ConnectionPtr, smtp::Reply>> open(Envelope& envelope);

  // From now on `lender` may be asked for its lease, at once if somebody waits. It leaves by
  // unlinking.
  void park(Lender& lender);

  const PoolSettings& settings() const { return settings_; }
  const std::optional<smtp::Capabilities>& learnt() const { return learnt_; }
  Log& log() { return log_; }
  std::size_t open_connections() const { return used_; }

  coro::Task<void> close();

 private:
  friend class Lease;
  class Idle;

  struct Address {
    SocketAddress address;
    coro::TimePoint down_until;  // not tried before, unless all are down
    net::Duration back_off{};
  };
  using Opened = tl::expected<ConnectionPtr, smtp::Reply>;

  coro::Task<Opened> open_at(std::size_t index, Envelope& envelope);
  coro::Task<Opened> introduce(ConnectionPtr connection, Envelope& envelope);
  coro::Task<Opened> send_xclient(ConnectionPtr connection, Envelope& envelope);
  coro::Task<Result<smtp::Reply>> ehlo(Connection& connection);
  smtp::Reply unfit(const Connection& connection, std::string_view phase, const smtp::Reply& reply);
  smtp::Reply unfit(const SocketAddress& address, std::string_view phase, const Error& error);
  std::vector<std::size_t> order() const;
  void mark(Address& address, bool up);

  void take_back(ConnectionPtr connection);
  bool may_be_kept(const Connection& connection) const;
  void retire(ConnectionPtr connection);
  coro::Task<void> say_quit(ConnectionPtr connection);
  void drop(Idle& idle);
  ConnectionPtr take_idle();
  void serve_waiters();

  net::Network& network_;
  Log& log_;
  PoolSettings settings_;
  std::vector<Address> addresses_;
  std::size_t used_ = 0;  // leases and idle connections
  bool closing_ = false;
  std::list<Idle> idle_;  // the most recently used at the back
  coro::List<Turn, coro::QueueTag> waiters_;
  coro::List<Lender, LenderTag> lenders_;
  std::optional<smtp::Capabilities> learnt_;
  coro::Scope scope_;  // QUITs on their way out
};

// The reply for our client when the downstream cannot be talked to.
smtp::Reply reply_for(const Error& error);

}  // namespace postern::deliver
