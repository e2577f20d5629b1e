// What the conformance tests run on: the same tests for every implementation of Scheduler, Stream,
// Files, Network and Resolver. An implementation adds one file that registers a fixture.
#pragma once

#include <postern/coro/scope.hpp>
#include <postern/dns/resolver.hpp>
#include <postern/net/files.hpp>
#include <postern/net/network.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::conformance {

using coro::Duration;

// A wait that takes longer has gone wrong, also on a machine that is busy with something else.
constexpr Duration patience = std::chrono::seconds(60);

// Who is told of each connection that an address takes.
using Accept = std::function<void(net::StreamPtr)>;

// What resolver() finds. Names that are not written down do not exist.
class Names {
 public:
  virtual ~Names() = default;
  virtual void add_a(const std::string& name, const std::string& address) = 0;
  virtual void add_aaaa(const std::string& name, const std::string& address) = 0;
  virtual void add_mx(const std::string& name, std::uint16_t preference,
                      const std::string& host) = 0;
  virtual void add_txt(const std::string& name, const std::string& text) = 0;
  virtual void add_ptr(const std::string& address, const std::string& host) = 0;
  virtual void silence(const std::string& name) = 0;  // nobody answers
  virtual void break_servers_of(const std::string& name) = 0;
  virtual std::size_t asked(const std::string& name) const = 0;  // at least once for each lookup
};

class Fixture {
 public:
  virtual ~Fixture() = default;

  virtual coro::Scheduler& scheduler() = 0;
  virtual net::Network& network() = 0;
  virtual net::Files& files() = 0;
  virtual dns::Resolver& resolver() = 0;
  virtual Names& names() = 0;
  // An empty directory of this test's own.
  virtual std::string directory() = 0;

  // Two ends of a connection.
  virtual std::pair<net::StreamPtr, net::StreamPtr> streams() = 0;
  // So many octets do not fit between the two ends when nobody reads.
  virtual std::size_t more_than_fits() const = 0;
  virtual SocketAddress listen(Accept accept) = 0;
  virtual SocketAddress refusing() = 0;
  virtual SocketAddress silent() = 0;  // never answers a connect

  // Runs turns until stop(); throws when that does not come.
  virtual void run_until_stopped() = 0;
  virtual void stop() = 0;

  // Lets everything happen that is under way; on a real network, waits for a moment.
  void settle(Duration time = std::chrono::milliseconds(30));
  // Until it has happened, or for `patience`: the test says then what is missing. For whatever the
  // kernel or another thread has to do first; they may be busy.
  void settle_until(const std::function<bool()>& happened);
  template <typename T>
  T run(coro::Task<T> task);
  void join(coro::Scope& scope);
};

template <typename T>
T Fixture::run(coro::Task<T> task) {
  struct Finished final : coro::Completion {
    explicit Finished(Fixture& f) : fixture(f) {}
    void finished() noexcept override { fixture.stop(); }
    Fixture& fixture;
  };
  coro::Context context(scheduler(), "conformance");
  Finished finished(*this);
  if (!task.start(context, finished)) run_until_stopped();
  return task.await_resume();
}

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<Fixture>()> make;
};
std::vector<Implementation>& implementations();
// The same, and each once more with TLS on its streams.
std::vector<Implementation> stream_implementations();

// `const Registered here("libuv", [] { return std::make_unique<UvFixture>(); });`
struct Registered {
  Registered(std::string name, std::function<std::unique_ptr<Fixture>()> make) {
    implementations().push_back(Implementation{std::move(name), std::move(make)});
  }
};

// One of the fixtures, as a generator: the test runs once for each.
#define POSTERN_EACH_OF(fixture, all)                                               \
  const auto implementation_ = GENERATE(from_range(::postern::conformance::all())); \
  INFO("on " << implementation_.name);                                              \
  const auto fixture##_owner_ = implementation_.make();                             \
  ::postern::conformance::Fixture& fixture = *fixture##_owner_
#define POSTERN_EACH_IMPLEMENTATION(fixture) POSTERN_EACH_OF(fixture, implementations)
#define POSTERN_EACH_STREAM(fixture) POSTERN_EACH_OF(fixture, stream_implementations)

}  // namespace postern::conformance
