// The files that [tls] names: which there are, and which belong together. What is in them is for
// whoever speaks TLS.
#pragma once

#include <postern/policy/bundle.hpp>
#include <postern/policy/configuration.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace postern::policy {

// A certificate with its chain and its key, as PEM text, and where they are from.
struct CertificatePair {
  std::string certificate_file;
  std::string certificate;
  std::string key_file;  // may be the certificate's
  std::string key;
  bool operator==(const CertificatePair&) const = default;
};

struct CertificateFault {
  std::string key;  // of [tls]: "certificate"
  std::string text;
};

struct CertificatePairs {
  std::vector<CertificatePair> pairs;  // first the one for everybody, then the folder's by name
  std::vector<CertificateFault> faults;
};

// The paths of all files that `tls` names and, in a folder, of those that look like certificates
// and keys: NAME.pem (both, or the certificate alone), NAME.crt, NAME.key, and as certbot has them
// NAME/fullchain.pem and NAME/privkey.pem. Waits for the disk.
std::vector<std::string> certificate_paths(const Tls& tls);

// Pairs them up, from the certificate files of a bundle. A pair with a fault is left out.
CertificatePairs certificate_pairs(const Tls& tls, const std::vector<File>& files);

// The authorities of clients' certificates, as PEM; empty: none. A file that cannot be read is
// certificate_pairs() to tell.
std::string client_authorities(const Tls& tls, const std::vector<File>& files);

// The content of one certificate file of a bundle. Errors: not_found, with why it cannot be read.
Result<std::string> certificate_file(const std::string& path, const std::vector<File>& files);

}  // namespace postern::policy
