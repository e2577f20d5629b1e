// TLS as octets in and octets out: one connection of OpenSSL's, without its sockets. Inside `net`
// only.
#pragma once

#include <postern/net/openssl.hpp>
#include <postern/net/stream.hpp>
#include <postern/net/tls.hpp>
#include <postern/net/tls_sessions.hpp>

namespace postern::net {

class TlsCodec final : public StreamCodec {
 public:
  // Client or server is what `context` was made for.
  explicit TlsCodec(SSL_CTX* context);

  enum class Step { done, needs_input, failed };
  // Takes what it can use from `input` and appends to `output` what is to be sent, an alert at
  // last. Done: what is left of `input` is for decode().
  Step handshake(std::string_view& input, std::string& output);
  const std::string& failure() const { return failure_; }  // in words, after Step::failed
  bool untrusted() const { return untrusted_; }            // it failed over their certificate
  TlsFacts facts() const;                                  // after Step::done
  SSL* ssl() { return ssl_.get(); }
  // A client's: goes on from the session kept under `key`, and keeps there what the server gives.
  void resume(std::shared_ptr<TlsSessions> sessions, std::string key);

  std::optional<Errc> decode(std::string_view wire, std::string& plain,
                             std::string& answer) override;
  bool encode(std::string_view plain, std::string& wire) override;
  void encode_end(std::string& wire) override;

 private:
  class Wire;  // the BIO
  class Call;
  bool untrusted_ = false;
  bool broken_ = false;
  bool said_end_ = false;
  std::uint8_t answers_ = 0;  // since we last sent something ourselves
  std::string_view in_;       // during a call
  std::string* out_ = nullptr;
  std::string failure_;
  std::shared_ptr<TlsSessions> sessions_;  // the stream may outlive whoever made it
  std::string key_;
  SslPtr ssl_;  // goes first: its BIO points here
};

}  // namespace postern::net
