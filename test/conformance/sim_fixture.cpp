// The simulation: three of them, since how octets are cut must change nothing.
#include <postern/testing/memory_files.hpp>
#include <postern/testing/scripted_resolver.hpp>
#include <postern/testing/sim_network.hpp>

#include "fixture.hpp"

namespace postern::conformance {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr std::size_t window = 16 * 1024;

class ScriptedNames final : public Names {
 public:
  explicit ScriptedNames(ScriptedResolver& dns) : dns_(dns) {}
  void add_a(const std::string& name, const std::string& address) override {
    dns_.add_a(name, address);
  }
  void add_aaaa(const std::string& name, const std::string& address) override {
    dns_.add_aaaa(name, address);
  }
  void add_mx(const std::string& name, std::uint16_t preference, const std::string& host) override {
    dns_.add_mx(name, preference, host);
  }
  void add_txt(const std::string& name, const std::string& text) override {
    dns_.add_txt(name, text);
  }
  void add_ptr(const std::string& address, const std::string& host) override {
    dns_.add_ptr(address, host);
  }
  void silence(const std::string& name) override { dns_.silence(name); }
  void break_servers_of(const std::string& name) override { dns_.fail(name, Errc::servfail); }
  std::size_t asked(const std::string& name) const override { return dns_.asked(name); }

 private:
  ScriptedResolver& dns_;
};

class SimFixture final : public Fixture {
 public:
  explicit SimFixture(LinkOptions options)
      : options_(options), sim_(7), network_(sim_, options_), files_(sim_) {
    files_.add_directory("/conformance");
  }

  coro::Scheduler& scheduler() override { return sim_; }
  net::Network& network() override { return network_; }
  net::Files& files() override { return files_; }
  dns::Resolver& resolver() override { return dns_; }
  Names& names() override { return names_; }
  std::string directory() override { return "/conformance"; }

  std::pair<net::StreamPtr, net::StreamPtr> streams() override {
    return make_stream_pair(sim_, options_);
  }
  std::size_t more_than_fits() const override { return 150'000; }
  SocketAddress listen(Accept accept) override {
    const SocketAddress address = next_address();
    network_.listen(address, [accept](net::StreamPtr stream) {
      accept(std::move(stream));
      return nothing();
    });
    return address;
  }
  SocketAddress refusing() override { return next_address(); }
  SocketAddress silent() override {
    const SocketAddress address = next_address();
    network_.silence(address);
    return address;
  }
  void run_until_stopped() override {
    for (stopped_ = false; !stopped_;)
      if (!sim_.run_turn()) throw Stuck("the simulation is idle; waiting are:\n" + sim_.waiting());
  }
  void stop() override { stopped_ = true; }

 private:
  static coro::Task<void> nothing() { co_return; }
  SocketAddress next_address() { return {IpAddress::v4({192, 0, 2, 1}), ++port_}; }

  LinkOptions options_;
  SimScheduler sim_;
  SimNetwork network_;
  MemoryFiles files_;
  ScriptedResolver dns_{sim_};
  ScriptedNames names_{dns_};
  std::uint16_t port_ = 1000;
  bool stopped_ = false;
};

const Registered whole("simulation, whole pieces", [] {
  return std::make_unique<SimFixture>(LinkOptions{.latency = 1ms, .window = window});
});
const Registered random_pieces("simulation, random pieces", [] {
  return std::make_unique<SimFixture>(
      LinkOptions{.latency = 3ms, .pieces = Pieces::random, .window = window});
});
const Registered single("simulation, octet by octet", [] {
  return std::make_unique<SimFixture>(LinkOptions{.pieces = Pieces::single, .window = window});
});

}  // namespace
}  // namespace postern::conformance
