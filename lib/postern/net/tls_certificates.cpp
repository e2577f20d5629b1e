#include <postern/base/text.hpp>
#include <postern/net/certificate_set.hpp>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

namespace postern::net {
namespace {

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

// Nobody is there to be asked for a passphrase.
int no_passphrase(char*, int, int, void*) { return -1; }

std::string text_of(const ASN1_STRING* string) {
  const auto* octets = reinterpret_cast<const char*>(ASN1_STRING_get0_data(string));
  return lower(std::string_view(octets, static_cast<std::size_t>(ASN1_STRING_length(string))));
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

// RFC 6125 section 6.4.4: the common name counts only where there is no DNS name.
std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, FreeNames> alternatives(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; alternatives && i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
    if (name->type == GEN_DNS) names.push_back(text_of(name->d.dNSName));
  }
  if (!names.empty()) return names;
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0) names.push_back(text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  return names;
}

}  // namespace

Result<CertifiedKey> CertifiedKey::read(const TlsPair& pair, SSL_CTX* probe, bool* of_key) {
  if (of_key) *of_key = false;
  CertifiedKey read;
  read.chain_ = read_certificates(pair.certificate);
  if (!read.chain_)
    return fail(Errc::malformed,
                fmt::format("{}: no certificate in PEM form, or a broken one; it begins with "
                            "-----BEGIN CERTIFICATE-----",
                            pair.certificate_file));
  read.certificate_.reset(sk_X509_shift(read.chain_.get()));
  const BioPtr text = read_from(pair.key);
  if (text) read.key_.reset(PEM_read_bio_PrivateKey(text.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (of_key) *of_key = !read.key_;
  if (!read.key_ && pair.key.find("ENCRYPTED") != std::string::npos)
    return fail(Errc::unsupported,
                fmt::format("{}: the key has a passphrase, which nobody is there to type; remove "
                            "it with: openssl pkey",
                            pair.key_file));
  if (!read.key_ && pair.key.find("PRIVATE KEY-----") == std::string::npos)
    return fail(Errc::malformed, fmt::format("{}: no private key in PEM form; it begins with "
                                             "-----BEGIN PRIVATE KEY-----",
                                             pair.key_file));
  if (!read.key_)
    return fail(Errc::malformed, fmt::format("{}: a broken private key", pair.key_file));
  if (X509_check_private_key(read.certificate_.get(), read.key_.get()) != 1) {
    ERR_clear_error();
    if (of_key) *of_key = true;
    return fail(Errc::malformed, fmt::format("{}: not the key of the certificate in {}",
                                             pair.key_file, pair.certificate_file));
  }
  if (SSL_CTX_use_cert_and_key(probe, read.certificate_.get(), read.key_.get(), read.chain_.get(),
                               1) != 1)
    return fail(Errc::unsupported,
                fmt::format("{}: not usable for TLS: {}", pair.certificate_file, openssl_error()));
  return read;
}

bool CertifiedKey::give_to(SSL* ssl) const {
  return SSL_use_cert_and_key(ssl, certificate_.get(), key_.get(), chain_.get(), 1) == 1;
}

TlsPairInfo CertifiedKey::info() const {
  X509* certificate = certificate_.get();
  return {names_of(certificate), time_of(X509_get0_notBefore(certificate)),
          time_of(X509_get0_notAfter(certificate))};
}

Result<TlsPairInfo> look_at(const TlsPair& pair, bool* of_key) {
  const SslContextPtr probe = make_tls_context(TLS_server_method());
  auto read = CertifiedKey::read(pair, probe.get(), of_key);
  if (!read) return fail(read.error());
  return read->info();
}

std::vector<const CertifiedKey*> TlsCertificates::Set::find(std::string_view name) const {
  std::string wanted = lower(name);
  if (!wanted.empty() && wanted.back() == '.') wanted.pop_back();
  auto found = by_name.find(wanted);
  const std::size_t dot = wanted.find('.');
  if (found == by_name.end() && dot != std::string::npos)
    found = by_name.find("*" + wanted.substr(dot));
  if (found == by_name.end()) return {&all.front()};
  std::vector<const CertifiedKey*> chosen;
  for (const std::size_t index : found->second) chosen.push_back(&all[index]);
  return chosen;
}

TlsCertificates::TlsCertificates(std::unique_ptr<Set> set) : set_(std::move(set)) {}
TlsCertificates::~TlsCertificates() = default;

Result<std::shared_ptr<const TlsCertificates>> TlsCertificates::make(
    const std::vector<TlsPair>& pairs) {
  if (pairs.empty()) return fail(Errc::not_found, "no certificate");
  auto set = std::make_unique<Set>();
  const SslContextPtr probe = make_tls_context(TLS_server_method());
  for (const TlsPair& pair : pairs) {
    auto read = CertifiedKey::read(pair, probe.get(), nullptr);
    if (!read) return fail(read.error());
    for (std::string& name : read->info().names)
      set->by_name[std::move(name)].push_back(set->all.size());
    set->all.push_back(std::move(*read));
  }
  return std::shared_ptr<const TlsCertificates>(new TlsCertificates(std::move(set)));
}

}  // namespace postern::net
