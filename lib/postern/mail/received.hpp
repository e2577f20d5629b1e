// Received fields that others wrote (RFC 5321 section 4.4, and what MTAs write instead).
//
// Nothing here is to be trusted but what a server of one's own wrote. It never fails: what is not
// understood is left out.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/mail/date.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace postern::mail {

struct ReceivedHop {
  std::string from;  // a name or address (without brackets) as the clause has it; mostly the HELO
  std::string helo;  // where a comment tells it apart from the name in `from`
  std::string helo_command;     // "helo", "ehlo", "lhlo", when a comment names it
  std::string rdns;             // the name in the comment of the clause (TCP-info), if it has a dot
  std::optional<IpAddress> ip;  // the address there
  std::string ident;            // RFC 1413, or the user that was authenticated
  std::string by;
  std::string via;
  std::string with;  // in upper case and RFC 3848's spelling if known ("ESMTPS"), else as written
  std::string id;    // without angle brackets
  std::string recipient;    // of the for clause, without angle brackets; the first one
  std::string tls_version;  // "TLSv1.3"
  std::string tls_cipher;   // "TLS_AES_256_GCM_SHA384"
  std::optional<Date> date;
};

ReceivedHop parse_received(std::string_view value);

}  // namespace postern::mail
