// TLS for streams: the same Stream goes on, encrypted. OpenSSL is behind it and in no header.
//
//   auto secured = co_await server.accept(stream, TlsStart::after_dialogue, TlsServer::patience);
//   if (!secured) …                 // the stream may only be closed: it sends nothing any more
#pragma once

#include <postern/coro/task.hpp>
#include <postern/net/stream.hpp>
#include <postern/net/ticket_keys.hpp>
#include <postern/net/tls_certificates.hpp>

#include <memory>
#include <string>

namespace postern::net {

// What a handshake came to.
struct TlsFacts {
  std::string version;      // "TLSv1.3"
  std::string cipher;       // "TLS_AES_256_GCM_SHA384"
  int bits = 0;             // of the cipher's key
  std::string server_name;  // that the client asked for (SNI), a plausible host name; may be empty
  // Of the other side's certificate; empty without one. The subject as in RFC 4514.
  std::string subject;
  std::string fingerprint;  // SHA-256, hex
  bool verified = false;    // ... and it leads to an authority that we trust
  bool resumed = false;
  std::size_t discarded = 0;  // octets that had been sent in the clear behind STARTTLS
};

// What the octets are that have arrived before the handshake begins: never a default.
enum class TlsStart : std::uint8_t {
  after_dialogue,  // STARTTLS: injected by somebody (CVE-2011-0411), and thrown away
  at_once,         // implicit TLS: the handshake; ALPN must fit (RFC 7301, ALPACA)
};

enum class ClientCertificates : std::uint8_t { off, ask, require };

struct TlsServerSettings {
  ClientCertificates clients = ClientCertificates::off;
  std::string
      client_authorities;  // PEM: who signs clients' certificates; empty: nobody is verified
};

// What the listeners of a worker speak TLS with. Sessions keep what they began with.
class TlsServer {
 public:
  static constexpr Duration patience = std::chrono::seconds(30);  // for a handshake, in all

  // Errors: malformed (the authorities).
  static Result<std::unique_ptr<TlsServer>> make(const TlsServerSettings& settings);
  virtual ~TlsServer() = default;

  virtual void use(std::shared_ptr<const TlsCertificates> certificates) = 0;
  virtual void use(const TicketKeys& keys) = 0;  // without any, each handshake is a full one
  virtual bool ready() const = 0;                // there are certificates

  // Replies that are not with the kernel yet go first. Errors: malformed (no TLS, or none that we
  // speak), permission (no certificate that we trust, where one is required), closed, reset,
  // timed_out, cancelled, not_found (not ready).
  virtual coro::Task<Result<TlsFacts>> accept(Stream& stream, TlsStart start, Duration limit) = 0;
};

enum class TlsTrust : std::uint8_t {
  anybody,   // encrypted, with whoever it is
  verified,  // name and chain (RFC 7817 section 3: no wildcard inside a label)
};

// What we speak TLS with to servers. Sessions are resumed with the same address and name.
class TlsClient {
 public:
  // `authorities` is PEM; empty: the system's. Errors: malformed.
  static Result<std::unique_ptr<TlsClient>> make(TlsTrust trust, const std::string& authorities);
  virtual ~TlsClient() = default;

  // `name`: the server's, or its address as text; for SNI and for `verified`. Errors: as accept(),
  // with permission for a certificate that is not trusted.
  virtual coro::Task<Result<TlsFacts>> connect(Stream& stream, TlsStart start, std::string name,
                                               Duration limit) = 0;
};

}  // namespace postern::net
