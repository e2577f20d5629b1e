// Unix sockets as streams.
#include <postern/coro/scope.hpp>
#include <postern/net/local_socket.hpp>
#include <postern/net/tcp.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "catch.hpp"

using namespace postern;
using namespace std::chrono_literals;

namespace {

// Listens, and accepts when it is told to.
class Server {
 public:
  explicit Server(int backlog) {
    char name[] = "/tmp/postern-test-XXXXXX";
    folder_ = mkdtemp(name);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path().data(), path().size());
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(socket_, backlog) == 0);
  }
  ~Server() {
    close(socket_);
    unlink(path().c_str());
    rmdir(folder_.c_str());
  }
  std::string path() const { return folder_ + "/s"; }
  void greet() {
    const int client = accept(socket_, nullptr, nullptr);
    REQUIRE(write(client, "hello", 5) == 5);
    close(client);
  }

 private:
  std::string folder_;
  int socket_ = -1;
};

// Ends the loop when what ended before has been cleared away.
class LastTurn final : public coro::Timer {
 public:
  explicit LastTurn(net::Loop& loop) : loop_(loop) {}
  void come() { loop_.arm(*this, loop_.now() + 1ms); }
  void fire() override { loop_.stop(); }

 private:
  net::Loop& loop_;
};

coro::Task<void> converse(LastTurn& last, net::Network& network, Server& server,
                          std::string& heard) {
  auto stream = co_await network.connect(ServerAddress::local(server.path()), 1s);
  REQUIRE(stream);
  server.greet();
  auto more = co_await (*stream)->more(10s);
  while (more) more = co_await (*stream)->more(10s);
  heard = (*stream)->input();
  last.come();
}

coro::Task<void> try_to_connect(LastTurn& last, net::Network& network, std::string path,
                                std::string& why) {
  auto stream = co_await network.connect(ServerAddress::local(std::move(path)), 100ms);
  why = stream ? "connected" : std::string(name(stream.error().code));
  last.come();
}

std::string outcome(const std::string& path) {
  net::Loop loop;
  net::TcpNetwork network(loop);
  coro::Scope scope(loop, "test");
  std::string why;
  LastTurn last(loop);
  scope.start(try_to_connect(last, network, path, why));
  loop.run();
  return why;
}

}  // namespace

TEST_CASE("Network: a unix socket is a stream like any other", "[net][local]") {
  net::Loop loop;
  net::TcpNetwork network(loop);
  coro::Scope scope(loop, "test");
  Server server(5);
  std::string heard;
  LastTurn last(loop);
  scope.start(converse(last, network, server, heard));
  loop.run();
  CHECK(heard == "hello");
}

TEST_CASE("Network: a unix socket that cannot be reached says why", "[net][local]") {
  CHECK(outcome("/nonexistent/socket") == "not_found");
  CHECK(outcome("/" + std::string(200, 'x')) == "too_long");
  Server server(0);
  CHECK(outcome(server.path()) == "connected");
  const auto waiting = net::connect_local(server.path());  // until its queue is full
  std::vector<int> more;
  for (int i = 0; i < 10; ++i)
    if (auto one = net::connect_local(server.path())) more.push_back(*one);
  CHECK(outcome(server.path()) == "timed_out");
  if (waiting) close(*waiting);
  for (const int fd : more) close(fd);
}
