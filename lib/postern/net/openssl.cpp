#include <postern/net/openssl.hpp>

#include <openssl/err.h>
#include <openssl/pem.h>

#include <limits>
#include <new>

namespace postern::net {
namespace {

// The system's openssl.cnf could bring engines and old versions back: we do not read it.
void prepare_openssl() {
  static const int ready = OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  if (ready != 1) throw std::bad_alloc();
}

// TLS 1.2; those of 1.3 are all good.
constexpr const char* ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK";
// OpenSSL 3.5 knows the first list, 3.0 the second.
constexpr const char* groups = "X25519MLKEM768:X25519:P-256:P-384";
constexpr const char* older_groups = "X25519:P-256:P-384";
constexpr int security_level = 2;
constexpr long session_seconds = 2 * 60 * 60;

}  // namespace

std::string openssl_error() {
  const unsigned long code = ERR_peek_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = reason ? reason : "unknown error";
  ERR_clear_error();
  return text;
}

SslContextPtr make_tls_context(const SSL_METHOD* method) {
  prepare_openssl();
  SslContextPtr context(SSL_CTX_new(method));
  if (!context) throw std::bad_alloc();
  SSL_CTX* raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_security_level(raw, security_level);
  SSL_CTX_set_cipher_list(raw, ciphers);
  if (SSL_CTX_set1_groups_list(raw, groups) != 1) SSL_CTX_set1_groups_list(raw, older_groups);
  ERR_clear_error();
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);  // an idle session holds none
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(raw, session_seconds);
  return context;
}

BioPtr read_from(std::string_view pem) {
  if (pem.size() > std::size_t{std::numeric_limits<int>::max()}) return {};
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

ChainPtr read_certificates(std::string_view pem) {
  prepare_openssl();
  ERR_clear_error();
  ChainPtr chain(sk_X509_new_null());
  const BioPtr bio = read_from(pem);
  if (!bio || !chain) return {};
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
    sk_X509_push(chain.get(), certificate);
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end || sk_X509_num(chain.get()) == 0) return {};
  return chain;
}

}  // namespace postern::net
