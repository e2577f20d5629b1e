#include <postern/net/tls_codec.hpp>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <new>

namespace postern::net {
namespace {

constexpr std::size_t record_octets = 16 * 1024;  // of plaintext (RFC 8446 section 5.1)
// A peer that keeps asking for what needs an answer (key updates, renegotiation) and reads none
// would make us hold them all.
constexpr std::uint8_t most_answers = 64;
constexpr std::size_t most_subject_octets = 1024;
constexpr std::size_t most_name_octets = 253;  // RFC 1035 section 2.3.4

bool plausible(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  return name.size() <= most_name_octets && std::all_of(name.begin(), name.end(), fits);
}

std::string subject_of(X509* certificate) {
  const BioPtr text(BIO_new(BIO_s_mem()));
  if (!text) return {};
  X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* octets = nullptr;
  const long size = BIO_get_mem_data(text.get(), &octets);
  if (size <= 0) return {};
  return std::string(octets, std::min(static_cast<std::size_t>(size), most_subject_octets));
}

std::string fingerprint_of(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[digest[i] >> 4];
    hex += "0123456789abcdef"[digest[i] & 15];
  }
  return hex;
}

}  // namespace

// OpenSSL's end of the wire: what it reads is in the view of the call at hand, what it writes goes
// into that call's string. It never blocks on writing.
class TlsCodec::Wire {
 public:
  static BIO* make(TlsCodec& codec) {
    BIO* bio = BIO_new(method());
    if (!bio) throw std::bad_alloc();
    BIO_set_data(bio, &codec);
    BIO_set_init(bio, 1);
    return bio;
  }

 private:
  static TlsCodec& of(BIO* bio) { return *static_cast<TlsCodec*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* to, int size) {
    std::string_view& in = of(bio).in_;
    BIO_clear_retry_flags(bio);
    if (in.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const auto count = std::min(in.size(), static_cast<std::size_t>(size));
    std::copy_n(in.data(), count, to);
    in.remove_prefix(count);
    return static_cast<int>(count);
  }
  static int write(BIO* bio, const char* octets, int size) {
    BIO_clear_retry_flags(bio);
    std::string* out = of(bio).out_;
    if (!out) return -1;
    out->append(octets, static_cast<std::size_t>(size));
    return size;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
      if (!fresh) throw std::bad_alloc();
      BIO_meth_set_read(fresh, read);
      BIO_meth_set_write(fresh, write);
      BIO_meth_set_ctrl(fresh, control);
      return fresh;
    }();
    return made;
  }
};

// What the BIO sees while OpenSSL runs; its queue of errors begins empty, or SSL_get_error() lies.
class TlsCodec::Call {
 public:
  Call(TlsCodec& codec, std::string_view in, std::string* out) : codec_(codec) {
    codec_.in_ = in;
    codec_.out_ = out;
    ERR_clear_error();
  }
  ~Call() {
    codec_.in_ = {};
    codec_.out_ = nullptr;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  std::string_view left() const { return codec_.in_; }

 private:
  TlsCodec& codec_;
};

TlsCodec::TlsCodec(SSL_CTX* context) : ssl_(SSL_new(context)) {
  if (!ssl_) throw std::bad_alloc();
  BIO* bio = Wire::make(*this);
  SSL_set_bio(ssl_.get(), bio, bio);
  if (SSL_is_server(ssl_.get()))
    SSL_set_accept_state(ssl_.get());
  else
    SSL_set_connect_state(ssl_.get());
}

// TLS 1.3 hands tickets out when it pleases, behind the handshake. Copies are kept and used:
// OpenSSL spoils the session of a connection that was cut off, and one of TLS 1.3 that was resumed.
// To be known again (RFC 8446 appendix C.4) is no harm between two mail servers.
void TlsCodec::resume(std::shared_ptr<TlsSessions> sessions, std::string key) {
  sessions_ = std::move(sessions);
  key_ = std::move(key);
  SSL_set_app_data(ssl_.get(), this);
  SSL_CTX_sess_set_new_cb(SSL_get_SSL_CTX(ssl_.get()), [](SSL* ssl, SSL_SESSION* session) {
    auto* codec = static_cast<TlsCodec*>(SSL_get_app_data(ssl));
    if (codec) codec->sessions_->put(codec->key_, SslSessionPtr(SSL_SESSION_dup(session)));
    return 0;
  });
  SSL_SESSION* kept = sessions_->find(key_);
  if (!kept) return;
  const SslSessionPtr copy(SSL_SESSION_dup(kept));
  if (copy) SSL_set_session(ssl_.get(), copy.get());
}

TlsCodec::Step TlsCodec::handshake(std::string_view& input, std::string& output) {
  const Call call(*this, input, &output);
  const int done = SSL_do_handshake(ssl_.get());
  input = call.left();
  if (done == 1) return Step::done;
  if (SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_READ) return Step::needs_input;
  broken_ = true;
  if (sessions_) sessions_->erase(key_);  // it may be the reason
  const int reason = ERR_GET_REASON(ERR_peek_error());
  untrusted_ = reason == SSL_R_CERTIFICATE_VERIFY_FAILED ||
               reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
  failure_ = openssl_error();
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
    failure_.append(": ").append(X509_verify_cert_error_string(SSL_get_verify_result(ssl_.get())));
  return Step::failed;
}

TlsFacts TlsCodec::facts() const {
  TlsFacts facts;
  facts.version = SSL_get_version(ssl_.get());
  facts.cipher = SSL_get_cipher_name(ssl_.get());
  facts.bits = SSL_get_cipher_bits(ssl_.get(), nullptr);
  facts.resumed = SSL_session_reused(ssl_.get()) == 1;
  const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
  if (name && plausible(name)) facts.server_name = name;
  if (X509* certificate = SSL_get0_peer_certificate(ssl_.get())) {
    facts.subject = subject_of(certificate);
    facts.fingerprint = fingerprint_of(certificate);
    facts.verified = SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE &&
                     SSL_get_verify_result(ssl_.get()) == X509_V_OK;
  }
  return facts;
}

std::optional<Errc> TlsCodec::decode(std::string_view wire, std::string& plain,
                                     std::string& answer) {
  if (broken_) return Errc::reset;
  const Call call(*this, wire, &answer);
  std::array<char, record_octets> record;
  int count = 1;
  while (count > 0 && (!call.left().empty() || SSL_has_pending(ssl_.get()) == 1)) {
    count = SSL_read(ssl_.get(), record.data(), static_cast<int>(record.size()));
    if (count > 0) plain.append(record.data(), static_cast<std::size_t>(count));
  }
  const int state = count > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), count);
  ERR_clear_error();
  if (!answer.empty() && ++answers_ > most_answers) broken_ = true;
  if (state == SSL_ERROR_ZERO_RETURN) return Errc::closed;
  if (state != SSL_ERROR_NONE && state != SSL_ERROR_WANT_READ) broken_ = true;
  if (broken_) return Errc::reset;
  return {};
}

bool TlsCodec::encode(std::string_view plain, std::string& wire) {
  if (broken_ || said_end_) return false;
  const Call call(*this, {}, &wire);
  std::size_t written = 0;
  answers_ = 0;
  if (SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &written) == 1) return true;
  broken_ = true;
  ERR_clear_error();
  return false;
}

void TlsCodec::encode_end(std::string& wire) {
  if (broken_ || said_end_) return;
  said_end_ = true;
  const Call call(*this, {}, &wire);
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace postern::net
