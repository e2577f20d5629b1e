#include "dns_stub.hpp"

#include <postern/dns/wire_reader.hpp>
#include <postern/net/socket_address.hpp>
#include <postern/net/sockets.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace postern::testing {
namespace {

const IpAddress loopback = IpAddress::v4({127, 0, 0, 1});

DnsQuery read_query(std::string_view octets, bool tcp) {
  dns::WireReader in({reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()});
  DnsQuery query;
  query.id = in.u16();
  in.take(8);
  query.edns = in.u16() > 0;
  query.name = in.read_name();
  query.type = in.u16();
  query.tcp = tcp;
  return query;
}

std::unique_ptr<net::SocketWatch> watch(net::Loop& loop, int socket, net::SocketOwner& owner) {
  auto opened = net::SocketWatch::open(loop, socket, owner);
  if (!opened) throw std::runtime_error(opened.error().describe());
  (*opened)->want(true, false);
  return std::move(*opened);
}

}  // namespace

struct DnsStub::Connection {
  std::unique_ptr<net::SocketWatch> watch;
  std::string input;
  std::size_t queries = 0;
};

// A datagram that is sent later, or octets into a connection that may have gone by then.
class DnsStub::Later final : public coro::Timer {
 public:
  Later(DnsStub& stub, DnsResponse response, int socket, std::uint16_t port)
      : stub_(stub), response_(std::move(response)), socket_(socket), port_(port) {
    stub_.loop_.arm(*this, stub_.loop_.now() + response_.after);
  }
  ~Later() { stub_.loop_.disarm(*this); }
  void fire() override {
    if (socket_ < 0)
      stub_.send_datagram(response_.octets, port_);
    else if (stub_.connections_.count(socket_) > 0)
      stub_.send_stream(response_.octets, socket_);
  }

 private:
  DnsStub& stub_;
  DnsResponse response_;
  int socket_;
  std::uint16_t port_;
};

DnsStub::DnsStub(net::Loop& loop, Handler handler) : loop_(loop), handler_(std::move(handler)) {
  open();
  udp_watch_ = watch(loop_, udp_, *this);
  listening_watch_ = watch(loop_, listening_, *this);
}

DnsStub::~DnsStub() {
  udp_watch_.reset();
  listening_watch_.reset();
  while (!connections_.empty()) close(connections_.begin()->first);
  ::close(udp_);
  ::close(listening_);
}

// Until the system's choice for TCP is free for UDP too.
void DnsStub::open() {
  for (int tries = 0; tries < 100; ++tries) {
    auto listening = net::make_listening_socket({loopback, 0});
    if (!listening) break;
    listening_ = *listening;
    address_ = *net::local_address(listening_);
    udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const net::RawAddress raw(address_);
    if (bind(udp_, raw.get(), raw.size()) == 0) return;
    ::close(udp_);
    ::close(listening_);
  }
  throw std::runtime_error("no port for a DNS server");
}

void DnsStub::socket_ready(int socket, bool, bool) {
  if (socket == udp_) return read_datagrams();
  if (socket == listening_) return accept();
  read_stream(socket);
}

void DnsStub::read_datagrams() {
  std::array<char, 4096> buffer;
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  while (true) {
    const ssize_t count =
        recvfrom(udp_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (count < 0) return;
    ++udp_queries_;
    const std::uint16_t port = net::from_raw(from).port;
    ++ports_[port];
    DnsQuery query = read_query({buffer.data(), static_cast<std::size_t>(count)}, false);
    query.port = port;
    for (DnsResponse& response : handler_(query)) {
      if (response.after == net::Duration::zero())
        send_datagram(response.octets, port);
      else
        later_.emplace_back(*this, std::move(response), -1, port);
    }
  }
}

void DnsStub::accept() {
  const int socket = ::accept4(listening_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) return;
  ++accepted_;
  const int room = 256 * 1024;  // an answer is sent in one go
  setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  connections_[socket].watch = watch(loop_, socket, *this);
}

void DnsStub::read_stream(int socket) {
  Connection& connection = connections_.at(socket);
  std::array<char, 4096> buffer;
  const ssize_t count = recv(socket, buffer.data(), buffer.size(), 0);
  if (count <= 0) return close(socket);
  connection.input.append(buffer.data(), static_cast<std::size_t>(count));
  while (connection.input.size() >= 2) {
    const std::size_t length =
        static_cast<std::size_t>(static_cast<std::uint8_t>(connection.input[0]) << 8 |
                                 static_cast<std::uint8_t>(connection.input[1]));
    if (connection.input.size() < 2 + length) return;
    const DnsQuery query = read_query(connection.input.substr(2, length), true);
    connection.input.erase(0, 2 + length);
    ++tcp_queries_;
    for (DnsResponse& response : handler_(query)) {
      if (response.after == net::Duration::zero())
        send_stream(response.octets, socket);
      else
        later_.emplace_back(*this, std::move(response), socket, std::uint16_t{0});
    }
    if (++connection.queries == close_after_) return close(socket);
  }
}

void DnsStub::close(int socket) {
  connections_.erase(socket);
  ::close(socket);
}

void DnsStub::send_datagram(const std::string& octets, std::uint16_t port) const {
  const net::RawAddress to({loopback, port});
  sendto(udp_, octets.data(), octets.size(), MSG_NOSIGNAL, to.get(), to.size());
}

void DnsStub::send_stream(const std::string& octets, int socket) const {
  const std::string framed = wire::u16(static_cast<unsigned>(octets.size())) + octets;
  send(socket, framed.data(), framed.size(), MSG_NOSIGNAL);
}

}  // namespace postern::testing
