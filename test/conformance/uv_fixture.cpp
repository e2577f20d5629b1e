// The real thing: libuv, TCP on loopback, files in a directory of their own.
#include <postern/dns/ares_resolver.hpp>
#include <postern/net/disk_files.hpp>
#include <postern/net/socket_address.hpp>
#include <postern/net/sockets.hpp>
#include <postern/net/tcp.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "catch.hpp"
#include "fixture.hpp"
#include "stub_names.hpp"
#include "support/lag_alarm.hpp"

namespace postern::conformance {
namespace {

using namespace std::chrono_literals;

const IpAddress loopback = IpAddress::v4({127, 0, 0, 1});

[[noreturn]] void give_up(const char* what) { throw std::runtime_error(what); }

// A listening socket, and whoever takes what comes in.
class Server final : public net::Acceptor {
 public:
  Server(net::Loop& loop, Accept accept) : accept_(std::move(accept)) {
    const auto socket = net::make_listening_socket({loopback, 0});
    if (!socket) give_up("cannot listen on loopback");
    socket_ = *socket;
    auto listener = net::Listener::open(loop, socket_, *this);
    if (!listener) give_up("cannot open a listener");
    listener_ = std::move(*listener);
  }
  ~Server() { ::close(socket_); }
  SocketAddress address() const { return *net::local_address(socket_); }

 private:
  void accepted(net::StreamPtr stream) override { accept_(std::move(stream)); }

  Accept accept_;
  int socket_ = -1;
  std::unique_ptr<net::Listener> listener_;
};

// A port of its own where nobody listens: each connect is refused.
class Refusing {
 public:
  Refusing() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const net::RawAddress any({loopback, 0});
    if (socket_ < 0 || bind(socket_, any.get(), any.size()) != 0) give_up("cannot bind a socket");
  }
  ~Refusing() { ::close(socket_); }
  SocketAddress address() const { return *net::local_address(socket_); }

 protected:
  int socket_;
};

// A listener whose queue is full: the kernel drops each further connect, as a host does that is
// down.
class Silent final : public Refusing {
 public:
  Silent() {
    if (::listen(socket_, 0) != 0) give_up("cannot listen");
    const net::RawAddress here(address());
    for (int& filler : fillers_) {
      filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (filler < 0) give_up("cannot make a socket");
      if (::connect(filler, here.get(), here.size()) != 0 && errno != EINPROGRESS)
        give_up("cannot fill the queue of a listener");
    }
  }
  ~Silent() {
    for (const int filler : fillers_) ::close(filler);
  }

 private:
  std::array<int, 4> fillers_{};
};

class UvFixture final : public Fixture {
 public:
  UvFixture() : network_(loop_), files_(loop_) {
    std::string path = (std::filesystem::temp_directory_path() / "postern-XXXXXX").string();
    if (!mkdtemp(path.data())) give_up("cannot make a directory");
    directory_ = path;
    dns::Settings settings;
    settings.servers = {names_.address()};
    settings.timeout = 300ms;
    settings.tries = 2;
    dns_ = dns::make_resolver(loop_, settings);
  }
  ~UvFixture() override { std::filesystem::remove_all(directory_); }

  coro::Scheduler& scheduler() override { return loop_; }
  net::Network& network() override { return network_; }
  net::Files& files() override { return files_; }
  dns::Resolver& resolver() override { return *dns_; }
  Names& names() override { return names_; }
  std::string directory() override { return directory_; }

  std::pair<net::StreamPtr, net::StreamPtr> streams() override {
    net::StreamPtr theirs;
    const SocketAddress address =
        listen([&](net::StreamPtr stream) { theirs = std::move(stream); });
    auto ours = run(network_.connect(address, patience));
    if (!ours) give_up("cannot connect on loopback");
    settle_until([&] { return theirs != nullptr; });
    if (!theirs) give_up("nobody accepts on loopback");
    servers_.pop_back();
    return {std::move(*ours), std::move(theirs)};
  }
  // Linux lets the two buffers of a connection grow to 4 and 6 MiB by default.
  std::size_t more_than_fits() const override { return 16 * 1024 * 1024; }
  SocketAddress listen(Accept accept) override {
    return servers_.emplace_back(std::make_unique<Server>(loop_, std::move(accept)))->address();
  }
  SocketAddress refusing() override { return refusing_.address(); }
  SocketAddress silent() override { return silent_.address(); }

  void run_until_stopped() override {
    Guard guard(loop_);
    loop_.run();
    if (guard.fired) throw std::runtime_error("took too long; waiting are:\n" + loop_.waiting());
    if (const auto lag = lag_alarm_.take()) FAIL_CHECK(*lag);
  }
  void stop() override { loop_.stop(); }

 private:
  class Guard final : public coro::Timer {
   public:
    explicit Guard(net::Loop& loop) : loop_(loop) { loop.arm(*this, loop.now() + patience); }
    ~Guard() { loop_.disarm(*this); }
    void fire() override {
      fired = true;
      loop_.stop();
    }
    bool fired = false;

   private:
    net::Loop& loop_;
  };

  net::Loop loop_;
  testing::LagAlarm lag_alarm_{loop_};
  net::TcpNetwork network_;
  net::DiskFiles files_;
  StubNames names_{loop_};
  std::unique_ptr<dns::Resolver> dns_;
  std::string directory_;
  Refusing refusing_;
  Silent silent_;
  std::vector<std::unique_ptr<Server>> servers_;
};

const Registered here("libuv", [] { return std::make_unique<UvFixture>(); });

}  // namespace
}  // namespace postern::conformance
