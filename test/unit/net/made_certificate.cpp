#include "made_certificate.hpp"

#include <postern/net/openssl.hpp>

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace postern::testing {
namespace {

using namespace net;

constexpr long day = 24 * 60 * 60;

void need(bool done) {
  if (!done) throw std::runtime_error("making a certificate: " + openssl_error());
}

KeyPtr make_key(KeyKind kind) {
  if (kind == KeyKind::p256) return KeyPtr(EVP_EC_gen("P-256"));
  return KeyPtr(EVP_RSA_gen(kind == KeyKind::rsa_1024 ? 1024u : 2048u));
}

std::string text_of(BIO* bio) {
  char* octets = nullptr;
  const long size = BIO_get_mem_data(bio, &octets);
  return std::string(octets, static_cast<std::size_t>(size));
}

void add_extension(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  need(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509Ptr start_certificate(const CertificateWish& wish) {
  static long serial = 0;
  X509Ptr made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), wish.begins_in_days * day);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), wish.ends_in_days * day);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1,
                             -1, 0);
  return made;
}

void sign(X509* made, EVP_PKEY* key, const MadeCertificate* issuer) {
  if (!issuer) {
    X509_set_issuer_name(made, X509_get_subject_name(made));
    return need(X509_sign(made, key, EVP_sha256()) > 0);
  }
  const ChainPtr above = read_certificates(issuer->certificate);
  const BioPtr pem = read_from(issuer->key);
  const KeyPtr signer(PEM_read_bio_PrivateKey(pem.get(), nullptr, nullptr, nullptr));
  need(above && signer);
  X509_set_issuer_name(made, X509_get_subject_name(sk_X509_value(above.get(), 0)));
  need(X509_sign(made, signer.get(), EVP_sha256()) > 0);
}

}  // namespace

MadeCertificate make_certificate(const CertificateWish& wish) {
  const KeyPtr key = make_key(wish.key);
  need(key != nullptr);
  const X509Ptr made = start_certificate(wish);
  X509_set_pubkey(made.get(), key.get());
  std::string names;
  for (const std::string& name : wish.names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  if (!names.empty()) add_extension(made.get(), NID_subject_alt_name, names);
  if (wish.authority) add_extension(made.get(), NID_basic_constraints, "critical,CA:TRUE");
  sign(made.get(), key.get(), wish.issuer);
  const BioPtr certificate_text(BIO_new(BIO_s_mem()));
  const BioPtr key_text(BIO_new(BIO_s_mem()));
  need(PEM_write_bio_X509(certificate_text.get(), made.get()) == 1);
  need(PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) ==
       1);
  return {text_of(certificate_text.get()), text_of(key_text.get())};
}

}  // namespace postern::testing
