// Certificates with their keys, and which of them a client gets for the name it asks for.
#pragma once

#include <postern/base/result.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::net {

// A certificate with its chain and its key, as PEM text, and the files they are from.
struct TlsPair {
  std::string certificate_file;
  std::string certificate;
  std::string key_file;  // may be the certificate's
  std::string key;
};

// What a readable pair is; how the two fit has been looked at.
struct TlsPairInfo {
  std::vector<std::string> names;  // DNS names of the certificate (RFC 6125), in lower case
  std::chrono::system_clock::time_point begins;
  std::chrono::system_clock::time_point ends;
};

// Errors: malformed, unsupported (a key too small, a passphrase); the text begins with the file
// that is wrong, and `of_key` tells which.
Result<TlsPairInfo> look_at(const TlsPair& pair, bool* of_key = nullptr);

// A set that is replaced as a whole. Immutable: sessions and workers share it.
class TlsCertificates {
 public:
  // The first is for clients that ask for no name, or for one that nobody here has.
  // Errors: as look_at(); not_found without any pair.
  static Result<std::shared_ptr<const TlsCertificates>> make(const std::vector<TlsPair>& pairs);
  ~TlsCertificates();

  struct Set;
  const Set& set() const { return *set_; }

 private:
  explicit TlsCertificates(std::unique_ptr<Set> set);
  std::unique_ptr<Set> set_;
};

}  // namespace postern::net
