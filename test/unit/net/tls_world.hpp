// A server of ours and clients of OpenSSL's, on streams in memory.
#pragma once

#include <postern/coro/group.hpp>
#include <postern/net/tls_handshake.hpp>
#include <postern/testing/memory_stream.hpp>

#include <openssl/pem.h>

#include <optional>
#include <utility>

#include "made_certificate.hpp"

namespace postern::testing {

using namespace std::chrono_literals;

inline const MadeCertificate& server_certificate() {
  static const MadeCertificate made =
      make_certificate({.names = {"mx.example.net"}, .common_name = "mx.example.net"});
  return made;
}

inline std::unique_ptr<net::TlsServer> make_server(const net::TlsServerSettings& settings = {}) {
  auto server = *net::TlsServer::make(settings);
  server->use(*net::TlsCertificates::make({server_certificate().pair()}));
  return server;
}

// A client's context as a test wants it; like ours otherwise.
struct ClientWish {
  int version = 0;     // the only one it speaks; 0: any
  std::string alpn{};  // in the wire's form: "\4smtp"
  const MadeCertificate* certificate = nullptr;
};
inline net::SslContextPtr make_client(const ClientWish& wish = {}) {
  auto context = net::make_tls_context(TLS_client_method());
  if (wish.version != 0) {
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context.get(), wish.version);
    SSL_CTX_set_max_proto_version(context.get(), wish.version);
  }
  SSL_CTX_set_alpn_protos(context.get(), reinterpret_cast<const unsigned char*>(wish.alpn.data()),
                          static_cast<unsigned>(wish.alpn.size()));
  if (wish.certificate) {
    const net::BioPtr key_text = net::read_from(wish.certificate->key);
    const net::KeyPtr key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr));
    const net::ChainPtr chain = net::read_certificates(wish.certificate->certificate);
    SSL_CTX_use_cert_and_key(context.get(), sk_X509_value(chain.get(), 0), key.get(), nullptr, 1);
  }
  return context;
}

// Both ends after a handshake, or why there was none.
struct Met {
  net::StreamPtr client, server;
  Result<net::TlsFacts> client_facts = fail(Errc::bug), server_facts = fail(Errc::bug);
};

class TlsWorld {
 public:
  explicit TlsWorld(LinkOptions options = {}) : options_(options) {}

  // `session` is resumed when the server can; `name` is asked for.
  Met meet(net::TlsServer& server, SSL_CTX* client, net::TlsStart start = net::TlsStart::at_once,
           SSL_SESSION* session = nullptr, const std::string& name = {}) {
    Met met;
    std::tie(met.client, met.server) = make_stream_pair(sim, options_);
    auto codec = std::make_unique<net::TlsCodec>(client);
    ssl = codec->ssl();
    if (session) SSL_set_session(ssl, session);
    if (!name.empty()) SSL_set_tlsext_host_name(ssl, name.c_str());
    sim.run(meet(met, server, std::move(codec), start));
    return met;
  }

  // What arrives, until the end: and how that came.
  std::pair<std::string, Errc> read_all(net::Stream& stream) { return sim.run(read(stream)); }

  SimScheduler sim;
  SSL* ssl = nullptr;  // the last client's, as long as its stream lives

 private:
  using Facts = Result<net::TlsFacts>;
  static coro::Task<void> keep(Facts& facts, coro::Task<Facts> handshake) {
    facts = co_await std::move(handshake);
  }
  static coro::Task<void> meet(Met& met, net::TlsServer& server,
                               std::unique_ptr<net::TlsCodec> client, net::TlsStart start) {
    coro::Group<void> sides;
    sides.add(keep(met.client_facts,
                   net::handshake(*met.client, std::move(client), net::TlsStart::at_once, 60s)));
    sides.add(keep(met.server_facts, server.accept(*met.server, start, net::TlsServer::patience)));
    auto both = co_await sides.join();
    (void)both;
  }
  static coro::Task<std::pair<std::string, Errc>> read(net::Stream& stream) {
    std::string all;
    for (;;) {
      all.append(stream.input());
      stream.consume(stream.input().size());
      auto more = co_await stream.more(10s);
      if (!more) co_return std::pair(all, more.error().code);
    }
  }

  LinkOptions options_;
};

}  // namespace postern::testing
