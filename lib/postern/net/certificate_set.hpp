// The certificates as OpenSSL has them; inside `net` only.
#pragma once

#include <postern/net/openssl.hpp>
#include <postern/net/tls_certificates.hpp>

#include <map>

namespace postern::net {

class CertifiedKey {
 public:
  // `probe` is a server's context, which would take it. Errors: as look_at().
  static Result<CertifiedKey> read(const TlsPair& pair, SSL_CTX* probe, bool* of_key);

  bool give_to(SSL* ssl) const;
  TlsPairInfo info() const;

 private:
  X509Ptr certificate_;
  ChainPtr chain_;  // above it
  KeyPtr key_;
};

struct TlsCertificates::Set {
  // Those of `name`, one for each kind of key; or those of the wildcard above it; or the first.
  std::vector<const CertifiedKey*> find(std::string_view name) const;

  std::vector<CertifiedKey> all;
  std::map<std::string, std::vector<std::size_t>, std::less<>> by_name;
};

}  // namespace postern::net
