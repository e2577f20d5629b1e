// How the session is encrypted. Made by the core when the handshake is over; without TLS there is
// no such fact.
#pragma once

#include <postern/plugin/fact.hpp>

#include <string>

namespace postern::facts {

struct Tls : plugin::Fact<"tls", 1> {
  std::string version;      // "TLSv1.3"
  std::string cipher;       // "TLS_AES_256_GCM_SHA384"
  int bits = 0;             // of its key
  std::string server_name;  // that the client asked for (SNI); may be empty
  // Of the client's certificate, where it was asked for one and has one.
  std::string subject;      // as in RFC 4514
  std::string fingerprint;  // SHA-256, hex
  bool verified = false;    // somebody of tls.client_ca has signed it
  bool resumed = false;     // from an earlier session: the handshake was a short one
};

}  // namespace postern::facts
