// The Received field that we add (RFC 5321 section 4.4), and those that others added before.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/mail/header_section.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace postern::mail {

// What the session knows. Texts may hold what strangers said: the field is clean whatever they are.
struct Trace {
  std::string_view helo;  // as the client said it; empty: it said none
  std::string_view rdns;  // the verified reverse name; empty: unknown
  IpAddress client;
  std::string_view hostname;  // ours
  std::string_view id;        // of the transaction, as in the log
  bool extended = false;      // EHLO, not HELO
  bool lmtp = false;          // LHLO
  bool tls = false;
  bool authenticated = false;
  bool utf8 = false;             // MAIL had SMTPUTF8
  std::string_view tls_version;  // "TLSv1.3"
  std::string_view tls_cipher;   // "TLS_AES_256_GCM_SHA384"
  // The only recipient, without its angle brackets; empty when there are several, whom it would
  // tell of each other (RFC 5321 section 7.2).
  std::string_view recipient;
  std::chrono::system_clock::time_point when;
};

// The `with` token: RFC 3848, with SMTPUTF8 RFC 6531 section 4.3.
std::string_view with_protocol(const Trace& trace);

// The whole field with its CRLF, folded to 78 octets where it can be, never over 998.
std::string received_field(const Trace& trace);

// Hops that the message has made, to detect loops (RFC 5321 section 6.3).
std::size_t count_received(const HeaderSection& section);

}  // namespace postern::mail
