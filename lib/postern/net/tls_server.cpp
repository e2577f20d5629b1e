#include <postern/net/certificate_set.hpp>
#include <postern/net/tls_handshake.hpp>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <string>

namespace postern::net {
namespace {

constexpr std::string_view smtp_protocol = "smtp";     // for ALPN
constexpr std::size_t tickets_for_each_handshake = 1;  // a client has one connection at a time

// ALPN's list: octets of length, each followed by so many octets.
bool offers_smtp(const unsigned char* list, unsigned size) {
  std::string_view rest(reinterpret_cast<const char*>(list), size);
  while (!rest.empty()) {
    const auto length = static_cast<unsigned char>(rest.front());
    if (rest.substr(1, length) == smtp_protocol) return true;
    rest.remove_prefix(std::min(rest.size(), std::size_t{1} + length));
  }
  return false;
}

class OpenSslServer final : public TlsServer {
 public:
  OpenSslServer() : context_(make_tls_context(TLS_server_method())), cipher_(fetch_cipher()) {
    SSL_CTX* raw = context_.get();
    SSL_CTX_set_app_data(raw, this);
    SSL_CTX_set_cert_cb(raw, choose_certificate, this);
    SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
    SSL_CTX_set_max_early_data(raw, 0);
    // Tickets come with their keys.
    SSL_CTX_set_options(raw, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(raw, 0);
  }

  Result<void> ask_clients(const TlsServerSettings& settings) {
    resume_only_like(settings);
    if (!settings.client_authorities.empty()) {
      auto trusted = trust(settings.client_authorities);
      if (!trusted) return trusted;
    }
    const auto anybody = [](int, X509_STORE_CTX*) { return 1; };
    if (settings.clients == ClientCertificates::ask)
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, anybody);
    if (settings.clients == ClientCertificates::require)
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                         nullptr);
    return {};
  }

  void use(std::shared_ptr<const TlsCertificates> certificates) override {
    certificates_ = std::move(certificates);
  }
  void use(const TicketKeys& keys) override {
    keys_.emplace(keys);
    SSL_CTX_clear_options(context_.get(), SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context_.get(), tickets_for_each_handshake);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(context_.get(), seal_or_open);
  }
  bool ready() const override { return certificates_ != nullptr; }

  coro::Task<Result<TlsFacts>> accept(Stream& stream, TlsStart start, Duration limit) override {
    if (!ready()) {
      stream.silence();
      co_return fail(Errc::not_found, "TLS: no certificate");
    }
    auto codec = std::make_unique<TlsCodec>(context_.get());
    SSL_set_app_data(codec->ssl(), start == TlsStart::at_once ? this : nullptr);
    auto facts = co_await handshake(stream, std::move(codec), start, limit);
    co_return facts;
  }

 private:
  // A session's certificate was judged when it began: whoever judges otherwise does not resume it.
  void resume_only_like(const TlsServerSettings& settings) {
    const std::string judged =
        std::to_string(static_cast<int>(settings.clients)) + settings.client_authorities;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    EVP_Digest(judged.data(), judged.size(), digest.data(), &size, EVP_sha256(), nullptr);
    SSL_CTX_set_session_id_context(context_.get(), digest.data(), size);
  }

  using CipherPtr = std::unique_ptr<EVP_CIPHER, FreeWith<EVP_CIPHER_free>>;

  static CipherPtr fetch_cipher() {
    CipherPtr cipher(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr));
    if (!cipher) throw std::bad_alloc();
    return cipher;
  }

  Result<void> trust(const std::string& authorities) {
    const ChainPtr chain = read_certificates(authorities);
    if (!chain) return fail(Errc::malformed, "no certificates, or a broken one");
    for (int i = 0; i < sk_X509_num(chain.get()); ++i) {
      X509* authority = sk_X509_value(chain.get(), i);
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority);
      SSL_CTX_add_client_CA(context_.get(), authority);
    }
    ERR_clear_error();
    return {};
  }

  static int choose_certificate(SSL* ssl, void* self) {
    const auto& certificates = static_cast<OpenSslServer*>(self)->certificates_;
    if (!certificates) return 0;
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    for (const CertifiedKey* chosen : certificates->set().find(name ? name : ""))
      if (!chosen->give_to(ssl)) return 0;
    return 1;
  }

  // With STARTTLS the dialogue has shown what both sides speak.
  static int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                             const unsigned char* offered, unsigned offered_size, void*) {
    if (offers_smtp(offered, offered_size)) {
      *chosen = reinterpret_cast<const unsigned char*>(smtp_protocol.data());
      *size = static_cast<unsigned char>(smtp_protocol.size());
      return SSL_TLSEXT_ERR_OK;
    }
    const bool at_once = SSL_get_app_data(ssl) != nullptr;
    return at_once ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
  }

  // RFC 5077 section 4: AES-256-CBC, and HMAC-SHA-256 over it. 0: no ticket, or not one of ours; 2:
  // give the client a new one.
  static int seal_or_open(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                          EVP_MAC_CTX* mac, int seal) {
    auto& self = *static_cast<OpenSslServer*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    const TicketKey* key = seal ? &self.keys_->current() : self.keys_->find(name);
    if (!key) return 0;
    if (seal) {
      std::copy(key->name.begin(), key->name.end(), name);
      if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(self.cipher_.get())) != 1) return -1;
    }
    char digest[] = "SHA256";
    auto* mac_key = const_cast<unsigned char*>(key->mac.data());
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key, key->mac.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_END};
    const bool ready =
        EVP_MAC_CTX_set_params(mac, params) == 1 &&
        EVP_CipherInit_ex(cipher, self.cipher_.get(), nullptr, key->cipher.data(), iv, seal) == 1;
    if (!ready) return -1;
    return seal || key == &self.keys_->current() ? 1 : 2;
  }

  SslContextPtr context_;
  CipherPtr cipher_;
  std::shared_ptr<const TlsCertificates> certificates_;
  std::optional<TicketKeys> keys_;
};

}  // namespace

Result<std::unique_ptr<TlsServer>> TlsServer::make(const TlsServerSettings& settings) {
  auto server = std::make_unique<OpenSslServer>();
  auto asked = server->ask_clients(settings);
  if (!asked) return fail(asked.error());
  return server;
}

}  // namespace postern::net
