// LDAP (RFC 4511) by libldap, which waits: connections for jobs of the thread pool.
#pragma once

#include <postern/plugin.hpp>

#include <ldap.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <mutex>

namespace postern::plugins::ldap {

enum class Tls : std::uint8_t { off, starttls, verify };
constexpr auto names_of(Tls) {
  return std::array<std::string_view, 3>{"off", "starttls", "verify"};
}
enum class Scope : std::uint8_t { sub, one, base };
constexpr auto names_of(Scope) { return std::array<std::string_view, 3>{"sub", "one", "base"}; }

// Which server is asked, as whom; all that makes one connection another.
struct Server {
  std::string uris;  // one or several, with blanks between: tried in this order
  Tls tls = Tls::off;
  std::string ca_file;  // empty: the system's
  std::string bind_dn;  // empty: nobody in particular
  std::string password;
  std::string password_file;  // instead
  auto operator<=>(const Server&) const = default;
};

struct Search {
  std::string base;
  Scope scope = Scope::sub;
  std::string filter;
  auto operator<=>(const Search&) const = default;
};

// RFC 4515 section 3: what would mean something in a filter is written as \XX; so are controls.
inline std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (is_control(c) || std::string_view("*()\\").find(c) != std::string_view::npos)
      out += fmt::format("\\{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out;
}

// Names of distinguished objects. Not more than one is asked for.
using Names = std::vector<std::string>;

// Used by one thread at a time: none of the loop's, since all of it waits. It connects when it is
// first used, and again when it has been cut off.
class Connection {
 public:
  explicit Connection(Server server) : server_(std::move(server)) {}
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // The first object that matches, or none; all within `limit`, but for the names of servers, which
  // the system looks up. Errors: timed_out; closed; permission (it does not know us); not_found
  // (there is no such base); malformed (the filter); busy, io: what the server says.
  Result<Names> find(const Search& search, coro::Duration limit) {
    const auto until = Clock::now() + limit;
    const bool kept = handle_ != nullptr;
    auto found = try_to_find(search, until);
    const bool cut_off = !found && found.error().code == Errc::closed;
    if (kept && cut_off && Clock::now() < until) return try_to_find(search, until);
    return found;
  }

  bool is_open() const { return handle_ != nullptr; }
  bool timed_out() const { return timed_out_; }  // in the last find()
  void close() {
    if (handle_) ldap_unbind_ext(handle_, nullptr, nullptr);
    handle_ = nullptr;
  }

 private:
  using Clock = std::chrono::steady_clock;

  Result<Names> try_to_find(const Search& search, Clock::time_point until) {
    timed_out_ = false;
    if (auto opened = handle_ ? Result<void>() : open(until); !opened) {
      close();
      return fail(opened.error());
    }
    constexpr std::array<int, 3> scopes{LDAP_SCOPE_SUBTREE, LDAP_SCOPE_ONELEVEL, LDAP_SCOPE_BASE};
    std::string nothing = LDAP_NO_ATTRS;
    std::array<char*, 2> attributes{nothing.data(), nullptr};
    timeval left = limit_to(until);
    LDAPMessage* answer = nullptr;
    const int code = ldap_search_ext_s(
        handle_, search.base.c_str(), scopes[static_cast<std::size_t>(search.scope)],
        search.filter.c_str(), attributes.data(), 1, nullptr, nullptr, &left, 1, &answer);
    const std::unique_ptr<LDAPMessage, int (*)(LDAPMessage*)> owned(answer, &ldap_msgfree);
    Names names = names_in(answer);
    const bool more = code == LDAP_SIZELIMIT_EXCEEDED && !names.empty();
    if (code == LDAP_SUCCESS || more) return names;
    auto failed = failure(code, fmt::format("searching {}", search.base));
    if (code < 0) close();  // not the server says so: the connection is broken, or it is silent
    return failed;
  }

  Names names_in(LDAPMessage* answer) const {
    Names names;
    LDAPMessage* entry = answer ? ldap_first_entry(handle_, answer) : nullptr;
    if (!entry) return names;
    if (char* name = ldap_get_dn(handle_, entry)) {
      names.emplace_back(name);
      ldap_memfree(name);
    }
    return names;
  }

  Result<void> open(Clock::time_point until) {
    static std::once_flag once;  // the library reads its own files, and guards that with nothing
    std::call_once(once, [] {
      int ignored = 0;
      ldap_get_option(nullptr, LDAP_OPT_DEBUG_LEVEL, &ignored);
    });
    if (int code = ldap_initialize(&handle_, server_.uris.c_str()); code != LDAP_SUCCESS)
      return failure(code, "reading the uri");
    const int version = LDAP_VERSION3;
    ldap_set_option(handle_, LDAP_OPT_PROTOCOL_VERSION, &version);
    ldap_set_option(handle_, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    ldap_set_option(handle_, LDAP_OPT_RESTART, LDAP_OPT_ON);
    limit_to(until);
    if (auto secured = secure(until); !secured) return secured;
    return bind(until);
  }

  Result<void> secure(Clock::time_point until) {
    if (server_.tls == Tls::off) return {};
    const int demand = server_.tls == Tls::verify ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER;
    ldap_set_option(handle_, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
    const char* ca = server_.ca_file.c_str();
    if (*ca && ldap_set_option(handle_, LDAP_OPT_X_TLS_CACERTFILE, ca) != LDAP_OPT_SUCCESS)
      return fail(Errc::not_found, fmt::format("reading {}", ca));
    const int is_client = 0;
    if (ldap_set_option(handle_, LDAP_OPT_X_TLS_NEWCTX, &is_client) != LDAP_OPT_SUCCESS)
      return fail(Errc::io, fmt::format("TLS cannot be begun: {}", ca));
    if (istarts_with(server_.uris, "ldaps:")) return {};
    limit_to(until);
    const int code = ldap_start_tls_s(handle_, nullptr, nullptr);
    if (code != LDAP_SUCCESS) return failure(code, "StartTLS");
    return {};
  }

  Result<void> bind(Clock::time_point until) {
    std::string password = server_.password;
    if (!server_.password_file.empty()) {
      std::ifstream file(server_.password_file);
      if (!std::getline(file, password))
        return fail(Errc::not_found, fmt::format("reading {}", server_.password_file));
    }
    // A name without a password would be nobody, and told that it is welcome (RFC 4513, 5.1.2).
    if (!server_.bind_dn.empty() && password.empty())
      return fail(Errc::permission, "there is no password");
    berval secret{password.size(), password.data()};
    limit_to(until);
    const int code = ldap_sasl_bind_s(handle_, server_.bind_dn.c_str(), LDAP_SASL_SIMPLE, &secret,
                                      nullptr, nullptr, nullptr);
    if (code != LDAP_SUCCESS) return failure(code, "binding as '" + server_.bind_dn + "'");
    return {};
  }

  // What is left until then, for whatever is done next.
  timeval limit_to(Clock::time_point until) {
    using std::chrono::microseconds;
    const auto left =
        std::max<microseconds>(std::chrono::duration_cast<microseconds>(until - Clock::now()), 1ms);
    timeval time{left.count() / 1'000'000, left.count() % 1'000'000};
    ldap_set_option(handle_, LDAP_OPT_NETWORK_TIMEOUT, &time);
    ldap_set_option(handle_, LDAP_OPT_TIMEOUT, &time);
    return time;
  }

  tl::unexpected<Error> failure(int code, const std::string& doing) {
    timed_out_ = code == LDAP_TIMEOUT;
    char* told = nullptr;
    if (handle_) ldap_get_option(handle_, LDAP_OPT_DIAGNOSTIC_MESSAGE, &told);
    std::string text = fmt::format("{}: {}: {}", server_.uris, doing, ldap_err2string(code));
    if (told && *told) text += fmt::format(" ({})", printable(told, 200));
    ldap_memfree(told);
    return fail(meaning(code), std::move(text));
  }

  static Errc meaning(int code) {
    switch (code) {
      case LDAP_TIMEOUT:
      case LDAP_TIMELIMIT_EXCEEDED:
        return Errc::timed_out;
      case LDAP_SERVER_DOWN:
      case LDAP_CONNECT_ERROR:
      case LDAP_UNAVAILABLE:
        return Errc::closed;
      case LDAP_INVALID_CREDENTIALS:
      case LDAP_INSUFFICIENT_ACCESS:
        return Errc::permission;
      case LDAP_NO_SUCH_OBJECT:
        return Errc::not_found;
      case LDAP_FILTER_ERROR:
      case LDAP_INVALID_DN_SYNTAX:
        return Errc::malformed;
      case LDAP_BUSY:
        return Errc::busy;
      default:
        return Errc::io;
    }
  }

  const Server server_;
  LDAP* handle_ = nullptr;
  bool timed_out_ = false;
};

// The connections to one server, of one worker: kept while they are in use, bounded, never waited
// for by the loop.
class Directory {
 public:
  Directory(Server server, std::size_t most) : server_(std::move(server)), slots_(most) {}

  // As Connection::find(). Errors: also cancelled, and timed_out without asking for some seconds
  // after the server did not answer: threads that wait are as dear as clients who do.
  Task<Result<Names>> find(plugin::Services& services, coro::Scheduler& scheduler, Search search,
                           coro::Duration limit) {
    const auto until = scheduler.now() + limit;
    used_ = scheduler.now();
    auto slot = co_await slots_.acquire(limit);
    if (!slot) co_return fail(slot.error());
    if (scheduler.now() < silent_until_)
      co_return fail(Errc::timed_out, server_.uris + " did not answer a moment ago");
    const std::shared_ptr<Connection> connection = take();
    const auto left = until - scheduler.now();
    auto job = [connection, search = std::move(search), left] {
      return connection->find(search, left);
    };
    auto found = co_await offload(services, std::move(job));
    used_ = scheduler.now();
    if (connection->is_open()) idle_.push_back({connection, used_});
    if (connection->timed_out()) silent_until_ = used_ + rest;
    co_return found;
  }

  // Those that nobody has used for a while, for whoever may wait for them to be closed.
  std::vector<std::shared_ptr<Connection>> take_stale(coro::TimePoint now) {
    std::vector<std::shared_ptr<Connection>> stale;
    std::erase_if(idle_, [&](Idle& idle) {
      if (now - idle.since < kept_for) return false;
      stale.push_back(std::move(idle.connection));
      return true;
    });
    return stale;
  }
  bool is_unused(coro::TimePoint now) const { return idle_.empty() && now - used_ > 10 * kept_for; }

 private:
  static constexpr auto kept_for = 60s;  // less than firewalls and servers allow
  static constexpr auto rest = 3s;

  struct Idle {
    std::shared_ptr<Connection> connection;
    coro::TimePoint since;
  };

  std::shared_ptr<Connection> take() {
    if (idle_.empty()) return std::make_shared<Connection>(server_);
    std::shared_ptr<Connection> last = std::move(idle_.back().connection);
    idle_.pop_back();
    return last;
  }

  const Server server_;
  coro::Slots slots_;
  std::vector<Idle> idle_;  // the one used last at the end
  coro::TimePoint used_{};
  coro::TimePoint silent_until_{};
};

}  // namespace postern::plugins::ldap
