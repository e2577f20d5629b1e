// What a mail server is that Postern could forward to: found out by talking to it, and never in a
// way that it would mind. Nothing is sent but EHLO, STARTTLS, one MAIL FROM:<> with a RCPT or two,
// RSET and QUIT, and no message; a PROXY header only where it does not answer without one.
#pragma once

#include <postern/deliver/connection.hpp>
#include <postern/net/network.hpp>
#include <postern/net/tls.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::cli {

struct ProbeTarget {
  std::string written;  // as the administrator named it
  std::string host;     // its name; empty: it was an address
  ServerAddress address;
  std::string hello;      // what we call ourselves
  std::string recipient;  // who is expected to be there; empty: not asked about
  std::string domain;     // where nobody of an unlikely name is; empty: not asked about
};

// What came of it; what was not tried is empty.
struct ProbeReport {
  enum class Proxy : std::uint8_t { not_needed, v1, v2, both };

  bool reached = false;
  bool talks = false;    // in one way or another EHLO was answered
  std::string trouble;   // why not, or what was heard without a PROXY header
  std::string greeting;  // its text, the server's name first
  bool lmtp = false;
  Proxy proxy = Proxy::not_needed;
  smtp::Capabilities offers;
  std::string starttls_trouble;  // why there was no handshake
  std::optional<net::TlsFacts> tls;
  std::string unverified;               // why the certificate is not trusted; empty: it is
  std::string tls_name;                 // what it was verified for
  std::optional<smtp::Reply> unlikely;  // to RCPT for nobody
  std::optional<smtp::Reply> expected;  // to RCPT for the recipient
};

class Probe {
 public:
  static constexpr net::Duration each = std::chrono::seconds(10);   // for one answer
  static constexpr net::Duration total = std::chrono::seconds(30);  // for all

  Probe(net::Network& network, ProbeTarget target)
      : network_(network), target_(std::move(target)) {}
  coro::Task<ProbeReport> run();

 private:
  enum class Header : std::uint8_t { none, v1, v2 };
  using ConnectionPtr = std::unique_ptr<deliver::Connection>;

  coro::Task<void> look();
  coro::Task<bool> greet();
  coro::Task<Result<ConnectionPtr>> open(Header header);
  coro::Task<Result<void>> hello(deliver::Connection& connection);
  coro::Task<void> ask_recipients(deliver::Connection& connection);
  coro::Task<Result<smtp::Reply>> rcpt(deliver::Connection& connection, std::string mailbox);
  coro::Task<void> look_at_tls();
  coro::Task<Result<net::TlsFacts>> handshake(net::TlsTrust trust);
  coro::Task<void> quit(ConnectionPtr connection);

  net::Network& network_;
  ProbeTarget target_;
  ProbeReport report_;
  Header header_ = Header::none;  // by which it talks
};

}  // namespace postern::cli
