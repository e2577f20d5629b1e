// A DNS server on the test's own loop, by UDP and TCP on one port of 127.0.0.1. It says what the
// test wants, right or wrong.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/net/socket_watch.hpp>

#include <functional>
#include <list>
#include <map>
#include <vector>

#include "dns_message.hpp"

namespace postern::testing {

struct DnsQuery {
  std::string name;  // in the letters of the question
  std::uint16_t type = 0;
  unsigned id = 0;
  bool edns = false;
  bool tcp = false;
  std::uint16_t port = 0;  // it came from, by UDP

  wire::Message answer() const { return {name, type, id}; }
};

struct DnsResponse {
  std::string octets;
  net::Duration after{0};

  DnsResponse() = default;
  explicit DnsResponse(const wire::Message& message, net::Duration delay = {})
      : octets(message.octets()), after(delay) {}
  explicit DnsResponse(std::string raw, net::Duration delay = {})
      : octets(std::move(raw)), after(delay) {}
};

class DnsStub final : private net::SocketOwner {
 public:
  using Handler = std::function<std::vector<DnsResponse>(const DnsQuery&)>;

  DnsStub(net::Loop& loop, Handler handler);
  ~DnsStub();

  SocketAddress address() const { return address_; }
  void handle(Handler handler) { handler_ = std::move(handler); }
  // To a port of 127.0.0.1, unasked.
  void send_datagram(const std::string& octets, std::uint16_t port) const;
  // Each TCP connection is closed after so many queries have been read from it; 0: none is.
  void close_tcp_after(std::size_t queries) { close_after_ = queries; }

  std::size_t udp_queries() const { return udp_queries_; }
  std::size_t tcp_queries() const { return tcp_queries_; }
  std::size_t connections() const { return accepted_; }
  // How many ports UDP queries came from.
  std::size_t ports() const { return ports_.size(); }

 private:
  struct Connection;
  class Later;

  void open();
  void socket_ready(int socket, bool readable, bool writable) override;
  void read_datagrams();
  void accept();
  void read_stream(int socket);
  void close(int socket);
  void send_stream(const std::string& octets, int socket) const;

  net::Loop& loop_;
  Handler handler_;
  SocketAddress address_;
  int udp_ = -1;
  int listening_ = -1;
  std::unique_ptr<net::SocketWatch> udp_watch_;
  std::unique_ptr<net::SocketWatch> listening_watch_;
  std::map<int, Connection> connections_;
  std::list<Later> later_;
  std::map<std::uint16_t, std::size_t> ports_;
  std::size_t close_after_ = 0;
  std::size_t udp_queries_ = 0;
  std::size_t tcp_queries_ = 0;
  std::size_t accepted_ = 0;
};

}  // namespace postern::testing
