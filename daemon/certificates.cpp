#include "certificates.hpp"

#include <postern/base/timestamp.hpp>

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace postern::daemon {
namespace {

using policy::CertificatePair;

net::TlsPair to_net(const CertificatePair& pair) {
  return {pair.certificate_file, pair.certificate, pair.key_file, pair.key};
}

std::string day_of(std::chrono::system_clock::time_point time) {
  std::string text;
  append_timestamp(text, time);
  return text.substr(0, 10);
}

// Clients that look would go elsewhere: worth a word, not worth refusing all the others.
std::string remark_on(const net::TlsPairInfo& info, const std::string& file) {
  const auto now = std::chrono::system_clock::now();
  if (now >= info.ends) return fmt::format("{} has expired on {}", file, day_of(info.ends));
  if (now < info.begins) return fmt::format("{} is valid only from {}", file, day_of(info.begins));
  return {};
}

const CertificatePair* find(const std::vector<CertificatePair>& pairs, const std::string& file) {
  const auto found = std::find_if(pairs.begin(), pairs.end(), [&](const CertificatePair& pair) {
    return pair.certificate_file == file;
  });
  return found == pairs.end() ? nullptr : &*found;
}

}  // namespace

std::vector<net::TlsPair> tls_pairs(const std::vector<CertificatePair>& pairs) {
  std::vector<net::TlsPair> out;
  for (const CertificatePair& pair : pairs) out.push_back(to_net(pair));
  return out;
}

std::vector<policy::Problem> check_certificates(const policy::Bundle& bundle,
                                                const policy::Tls& tls) {
  std::vector<policy::Problem> problems;
  const auto complain = [&](std::string_view key, std::string text, bool fatal) {
    problems.push_back(policy::tls_problem(bundle, key, std::move(text), fatal));
  };
  for (const CertificatePair& pair : policy::certificate_pairs(tls, bundle.files).pairs) {
    const bool first = pair.certificate_file == tls.certificate.text;
    bool of_key = false;
    const auto info = net::look_at(to_net(pair), &of_key);
    const bool key_named = of_key && !tls.key.empty();
    const char* key = !first ? "certificates_dir" : key_named ? "key" : "certificate";
    if (!info) complain(key, info.error().text, true);
    const std::string remark = info ? remark_on(*info, pair.certificate_file) : std::string();
    if (!remark.empty()) complain(key, remark, false);
  }
  if (tls.client_ca.empty()) return problems;
  net::TlsServerSettings settings;
  settings.client_authorities = policy::client_authorities(tls, bundle.files);
  if (const auto server = net::TlsServer::make(settings); !server)
    complain("client_ca", fmt::format("{}: {}", tls.client_ca.text, server.error().text), true);
  return problems;
}

Result<std::unique_ptr<net::TlsServer>> make_tls_server(const policy::Configuration& configuration,
                                                        const policy::Bundle& bundle) {
  const auto speaks = [](const policy::Listen& listen) {
    return listen.tls != policy::ListenTls::none;
  };
  const auto& listen = configuration.listen;
  if (std::none_of(listen.begin(), listen.end(), speaks)) return nullptr;
  const policy::Tls& tls = configuration.tls;
  net::TlsServerSettings settings;
  settings.clients = static_cast<net::ClientCertificates>(tls.client_certificates);
  static_assert(static_cast<int>(net::ClientCertificates::require) ==
                static_cast<int>(policy::ClientCertificates::require));
  settings.client_authorities = policy::client_authorities(tls, bundle.files);
  auto server = net::TlsServer::make(settings);
  if (!server) return fail(server.error());
  auto certificates =
      net::TlsCertificates::make(tls_pairs(policy::certificate_pairs(tls, bundle.files).pairs));
  if (!certificates) return fail(certificates.error());
  (*server)->use(std::move(*certificates));
  return server;
}

CertificateWatch::Stamp CertificateWatch::stamp_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {std::int64_t{status.st_ctim.tv_sec} * 1'000'000'000 + status.st_ctim.tv_nsec,
          status.st_ino, status.st_size};
}

CertificateWatch::News CertificateWatch::look() {
  News news;
  const std::vector<std::string> paths = policy::certificate_paths(tls_);
  Stamps stamps;
  for (const std::string& path : paths) stamps.emplace(path, stamp_of(path));
  if (stamps == stamps_) return news;
  stamps_ = std::move(stamps);
  auto now = usable(policy::certificate_pairs(tls_, policy::read_certificate_files(paths)), news);
  if (now.empty() || now == pairs_) return news;
  pairs_ = std::move(now);
  news.changed = ever_changed_ = true;
  return news;
}

// A file that is just being replaced is whole at the next look.
std::vector<CertificatePair> CertificateWatch::usable(const policy::CertificatePairs& fresh,
                                                      News& news) {
  for (const policy::CertificateFault& fault : fresh.faults)
    news.complaints.push_back(fmt::format("tls.{}: {}", fault.key, fault.text));
  std::vector<CertificatePair> good;
  for (const CertificatePair& pair : fresh.pairs) {
    const CertificatePair* before = find(pairs_, pair.certificate_file);
    if (before && *before == pair) {
      good.push_back(pair);
      continue;
    }
    const auto info = net::look_at(to_net(pair));
    if (info)
      good.push_back(pair);
    else if (before)
      good.push_back(*before);
    const std::string remark = info ? remark_on(*info, pair.certificate_file) : info.error().text;
    if (!remark.empty()) news.complaints.push_back(remark);
  }
  // One of whose files cannot be read now, while the other is still there.
  for (const CertificatePair& before : pairs_)
    if (!find(good, before.certificate_file) &&
        (stamps_.contains(before.certificate_file) || stamps_.contains(before.key_file)))
      good.push_back(before);
  std::stable_partition(good.begin(), good.end(), [&](const CertificatePair& pair) {
    return pair.certificate_file == tls_.certificate.text;
  });
  return good;
}

}  // namespace postern::daemon
