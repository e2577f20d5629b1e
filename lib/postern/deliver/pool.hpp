// The connections to one downstream: capped, kept for the next message, lent on while a slow client
// sends its body, and opened at another address when one does not answer.
#pragma once

#include <postern/base/log.hpp>
#include <postern/coro/scope.hpp>
#include <postern/deliver/connection.hpp>
#include <postern/deliver/identity.hpp>
#include <postern/deliver/servers.hpp>
#include <postern/net/network.hpp>
#include <postern/net/programs.hpp>
#include <postern/net/tls.hpp>

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

// How recipients are verified: see verify.hpp.
struct VerifySettings {
  std::vector<std::string> senders{""};  // reverse-paths of probes; the next where one is refused
  net::Duration positive = std::chrono::hours(24);  // for so long an answer is believed
  net::Duration negative = std::chrono::hours(2);
  double probes_per_second = 10;
  bool defer_beyond =
      true;  // a recipient for whom no probe is left: 450, or ask in the ordinary way
  net::Duration timeout = std::chrono::seconds(10);  // for a probe; then the ordinary way tells
  bool operator==(const VerifySettings&) const = default;
};

enum class Protocol : std::uint8_t { smtp, lmtp };

enum class TlsUse : std::uint8_t {
  off,
  may,      // where the server can; else in the clear
  require,  // with whoever it is
  verify,   // with the name that it should have, signed by somebody we trust
};

struct DownstreamTls {
  TlsUse use = TlsUse::off;
  std::shared_ptr<net::TlsClient> client;  // trusts as `use` says; null where TLS is off
  bool operator==(const DownstreamTls&) const = default;
};

struct PoolSettings {
  std::vector<Server> to;
  std::string hostname;  // what we call ourselves
  Protocol protocol = Protocol::smtp;
  std::string program;  // to be started for each transaction, instead of connecting; empty: none
  Identity identity = Identity::none;
  DownstreamTls tls;
  std::size_t max_connections = 20;
  std::size_t messages_per_connection = 10;
  net::Duration keep_idle = std::chrono::seconds(10);
  net::Duration wait_for_slot = std::chrono::seconds(60);
  DownstreamTimeouts timeouts;
  std::optional<VerifySettings> verify;  // recipients before they are taken
  bool operator==(const PoolSettings&) const = default;
};

// A pool as a status command shows it.
struct PoolState {
  std::vector<ServerState> servers;
  std::size_t used = 0;     // connections that transactions have
  std::size_t kept = 0;     // that wait for the next
  std::size_t waiting = 0;  // transactions that wait for one
  std::size_t most = 0;     // connections, as things are now
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
  // `programs` may be null where the settings name none.
  Pool(coro::Scheduler& scheduler, net::Network& network, Log& log, PoolSettings settings,
       net::Programs* programs = nullptr);
  ~Pool();

  // Waits for a place, in the order of asking: with a kept connection, or without one.
  // Errors: cancelled, timed_out.
  class Turn final : public coro::Wait {
   public:
    Turn(Pool& pool, net::Duration limit) : Wait("downstream slot", limit), pool_(pool) {}
    Result<Lease> await_resume();

   private:
    friend class Pool;
    bool begin() override;
    Pool& pool_;
    Lease lease_;
  };
  Turn turn() { return turn(settings_.wait_for_slot); }
  Turn turn(net::Duration limit) { return Turn(*this, limit); }

  // Why there is no connection.
  struct Unopened {
    explicit Unopened(smtp::Reply answer, bool full = false)
        : reply(std::move(answer)), crowded(full) {}
    smtp::Reply reply;           // for our client: 451 4.4.1, 4.4.2, 4.3.2, 4.3.0 or 4.7.5
    bool crowded;                // no server takes another; one that is in use may become free
    bool clear_will_do = false;  // a new connection may serve, without TLS
  };
  using Opened = tl::expected<ConnectionPtr, Unopened>;
  // Opens a connection, greets, and says who the client is where that is done per connection.
  coro::Task<Opened> open(Envelope& envelope);
  // The same in our own name.
  coro::Task<Opened> open_for_us();
  // Whether what is said on a connection is said in one client's name: then it serves no other.
  bool per_client() const {
    return (settings_.identity != Identity::none && settings_.identity != Identity::xforward) ||
           !settings_.program.empty();
  }

  // From now on `lender` may be asked for its lease, at once if somebody waits. It leaves by
  // unlinking.
  void park(Lender& lender);

  const PoolSettings& settings() const { return settings_; }
  // What all servers offer, as far as they have been met.
  std::optional<smtp::Capabilities> learnt() const { return servers_.offers(); }
  PoolState state();
  Log& log() { return log_; }
  std::size_t open_connections() const { return used_; }

  coro::Task<void> close();

 private:
  friend class Lease;
  class Idle;

  coro::Task<Opened> open_for(Client client, bool in_its_name);
  using Refusal = std::optional<Unopened>;
  coro::Task<Opened> open_at(std::size_t index, Client client, bool in_its_name);
  coro::Task<Result<ConnectionPtr>> dial(ServerAddress to, Client client);
  coro::Task<void> tell_end(ConnectionPtr connection);
  coro::Task<Opened> attempt(std::size_t index, Client client, bool in_its_name, bool with_tls);
  coro::Task<Opened> introduce(ConnectionPtr connection, Client client, bool in_its_name);
  coro::Task<Refusal> say_hello(Connection& connection, std::string helo, bool in_its_name);
  coro::Task<Refusal> start_tls(Connection& connection, std::string name);
  Refusal without_tls(Connection& connection, const char* why);
  Refusal handshake_failed(const Connection& connection, const Error& error);
  static void leave_clear(Connection& connection, const char* why);
  coro::Task<Opened> send_xclient(ConnectionPtr connection, Client client);
  coro::Task<Result<smtp::Reply>> ehlo_as_client(Connection& connection, std::string helo);
  coro::Task<Result<smtp::Reply>> ehlo(Connection& connection, std::string name);
  Opened unfit(const Connection& connection, std::string_view phase, const smtp::Reply& reply);
  Opened unfit(const ServerAddress& address, std::string_view phase, const Error& error);
  bool judge(std::size_t index, const Opened& opened);
  coro::Task<void> look(std::size_t index);

  void take_back(ConnectionPtr connection);
  bool may_be_kept(const Connection& connection) const;
  void retire(ConnectionPtr connection);
  coro::Task<void> say_quit(ConnectionPtr connection);
  void drop(Idle& idle);
  ConnectionPtr take_idle();
  void serve_waiters();
  std::size_t most_connections();

  net::Network& network_;
  net::Programs* programs_;
  Log& log_;
  PoolSettings settings_;
  Servers servers_;
  std::size_t used_ = 0;  // leases and idle connections
  bool closing_ = false;
  std::list<Idle> idle_;  // the most recently used at the back
  coro::List<Turn, coro::QueueTag> waiters_;
  coro::List<Lender, LenderTag> lenders_;
  coro::Scope scope_;  // QUITs on their way out
  coro::Scope looks_;  // at servers that were down
};

// The reply for our client when the downstream cannot be talked to.
smtp::Reply reply_for(const Error& error);

}  // namespace postern::deliver
