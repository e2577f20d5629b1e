// Certificates for tests, made when they are wanted.
#pragma once

#include <postern/net/tls_certificates.hpp>

#include <string>
#include <vector>

namespace postern::testing {

struct MadeCertificate {
  std::string certificate;  // PEM
  std::string key;
  net::TlsPair pair() const { return {"made.crt", certificate, "made.key", key}; }
};

enum class KeyKind { p256, rsa_2048, rsa_1024 };

struct CertificateWish {
  std::vector<std::string> names{};  // DNS names
  std::string common_name = "test";
  int begins_in_days = -1;
  int ends_in_days = 30;
  KeyKind key = KeyKind::p256;
  bool authority = false;
  const MadeCertificate* issuer = nullptr;  // null: its own
};
MadeCertificate make_certificate(const CertificateWish& wish);

}  // namespace postern::testing
