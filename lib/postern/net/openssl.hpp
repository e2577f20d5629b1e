// What our use of OpenSSL shares; inside `net` only.
#pragma once

#include <postern/base/result.hpp>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

namespace postern::net {

template <auto free_it>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    free_it(object);
  }
};
struct FreeChain {
  void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
};

using SslPtr = std::unique_ptr<SSL, FreeWith<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;
using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using ChainPtr = std::unique_ptr<STACK_OF(X509), FreeChain>;

// Why the last call failed, in OpenSSL's words; its queue of errors is empty afterwards.
std::string openssl_error();

// Versions, ciphers, groups and options as they are for every connection of ours, in or out:
// TLS 1.2 and 1.3, forward secrecy and AEAD only, no renegotiation, no compression, no early data.
// `method` is TLS_server_method() or TLS_client_method(). Throws when there is no memory.
SslContextPtr make_tls_context(const SSL_METHOD* method);

// Each certificate of PEM text, in order; empty when there is none or one of them is broken.
ChainPtr read_certificates(std::string_view pem);

// A view into `pem`, read-only.
BioPtr read_from(std::string_view pem);

}  // namespace postern::net
