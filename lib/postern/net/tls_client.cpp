#include <postern/base/ip.hpp>
#include <postern/net/tls_handshake.hpp>
#include <postern/net/tls_sessions.hpp>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace postern::net {
namespace {

// RFC 7435: where the alternative is to send in the clear, old ciphers are better than none.
constexpr const char* any_ciphers =
    "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:DHE+AES:RSA+AES:!aNULL:!PSK:!SRP:@SECLEVEL=1";

class OpenSslClient final : public TlsClient {
 public:
  explicit OpenSslClient(TlsTrust trust)
      : trust_(trust), context_(make_tls_context(TLS_client_method())) {
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    if (trust == TlsTrust::anybody)
      SSL_CTX_set_cipher_list(context_.get(), any_ciphers);
    else
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  }

  Result<void> use_authorities(const std::string& authorities) {
    if (trust_ == TlsTrust::anybody) return {};
    if (authorities.empty()) {
      SSL_CTX_set_default_verify_paths(context_.get());
      return {};
    }
    const ChainPtr chain = read_certificates(authorities);
    if (!chain) return fail(Errc::malformed, "no certificates, or a broken one");
    for (int i = 0; i < sk_X509_num(chain.get()); ++i)
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), sk_X509_value(chain.get(), i));
    ERR_clear_error();
    return {};
  }

  coro::Task<Result<TlsFacts>> connect(Stream& stream, TlsStart start, std::string name,
                                       Duration limit) override {
    if (trust_ == TlsTrust::verified && name.empty())
      co_return fail(Errc::permission, "no name to verify");
    auto codec = std::make_unique<TlsCodec>(context_.get());
    ask_for(codec->ssl(), name);
    codec->resume(sessions_, fmt::format("{} {}", stream.remote().text(), name));
    auto facts = co_await handshake(stream, std::move(codec), start, limit);
    co_return facts;
  }

 private:
  // Addresses have no SNI (RFC 6066 section 3).
  void ask_for(SSL* ssl, const std::string& name) const {
    const bool address = IpAddress::parse(name).has_value();
    if (!address && !name.empty()) SSL_set_tlsext_host_name(ssl, name.c_str());
    if (trust_ == TlsTrust::anybody) return;
    X509_VERIFY_PARAM* verify = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (address)
      X509_VERIFY_PARAM_set1_ip_asc(verify, name.c_str());
    else
      X509_VERIFY_PARAM_set1_host(verify, name.data(), name.size());
  }

  TlsTrust trust_;
  SslContextPtr context_;
  std::shared_ptr<TlsSessions> sessions_ = std::make_shared<TlsSessions>();
};

}  // namespace

Result<std::unique_ptr<TlsClient>> TlsClient::make(TlsTrust trust, const std::string& authorities) {
  auto client = std::make_unique<OpenSslClient>(trust);
  auto used = client->use_authorities(authorities);
  if (!used) return fail(used.error());
  return client;
}

}  // namespace postern::net
