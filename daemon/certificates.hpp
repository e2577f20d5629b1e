// Certificates between the configuration's files and the listeners: checked, watched, handed on.
#pragma once

#include <postern/net/tls.hpp>
#include <postern/policy/certificate_files.hpp>
#include <postern/policy/load.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace postern::daemon {

// For net; the two layers know nothing of each other.
std::vector<net::TlsPair> tls_pairs(const std::vector<policy::CertificatePair>& pairs);

// What is wrong inside the files of [tls], where policy::load() has found them all.
std::vector<policy::Problem> check_certificates(const policy::Bundle& bundle,
                                                const policy::Tls& tls);

// What a worker's listeners speak TLS with; null where none of them does. Errors: malformed.
Result<std::unique_ptr<net::TlsServer>> make_tls_server(const policy::Configuration& configuration,
                                                        const policy::Bundle& bundle);

// Looks at the files again and again: the master's. A pair that became unusable is as it was.
class CertificateWatch {
 public:
  // `pairs` are those that the workers have begun with.
  CertificateWatch(policy::Tls tls, std::vector<policy::CertificatePair> pairs)
      : tls_(std::move(tls)), pairs_(std::move(pairs)) {}

  struct News {
    bool changed = false;                 // pairs() are others than before
    std::vector<std::string> complaints;  // lines for the log; each once
  };
  News look();
  const std::vector<policy::CertificatePair>& pairs() const { return pairs_; }
  bool ever_changed() const { return ever_changed_; }

 private:
  // What tells one content from another without reading it.
  struct Stamp {
    std::int64_t nanoseconds = 0;  // of the last change
    std::uint64_t inode = 0;
    std::int64_t octets = -1;  // -1: it is not there
    bool operator==(const Stamp&) const = default;
  };
  using Stamps = std::map<std::string, Stamp>;
  static Stamp stamp_of(const std::string& path);
  std::vector<policy::CertificatePair> usable(const policy::CertificatePairs& fresh, News& news);

  policy::Tls tls_;
  std::vector<policy::CertificatePair> pairs_;
  Stamps stamps_;
  bool ever_changed_ = false;
};

}  // namespace postern::daemon
