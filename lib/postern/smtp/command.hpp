// Command lines: a verb and its argument.
#pragma once

#include <postern/base/result.hpp>

#include <cstdint>
#include <string_view>

namespace postern::smtp {

enum class Verb : std::uint8_t {
  helo,
  ehlo,
  mail,
  rcpt,
  data,
  bdat,
  rset,
  noop,
  quit,
  help,
  vrfy,
  expn,
  etrn,      // RFC 1985; never done here
  starttls,  // RFC 3207
  auth,      // RFC 4954
  xclient,
  xforward,  // Postfix
  unknown,
};

// The verb in capitals; "" for unknown.
std::string_view name(Verb verb);

// Views into the line.
struct Command {
  Verb verb = Verb::unknown;
  std::string_view word;      // the verb as the client wrote it
  std::string_view argument;  // blanks at both ends removed
};

// Splits a line without its CRLF. Trailing white space is tolerated (RFC 5321 section 4.1.1),
// leading is not: the verb is then unknown. Errors: malformed, for a control octet anywhere, and
// for an octet above 126 anywhere but in the argument of MAIL, RCPT, VRFY and EXPN, where it must
// be valid UTF-8 (RFC 6531 section 3.3).
Result<Command> parse_command(std::string_view line);

// Whether this is no bad SMTP but good something else: HTTP, TLS, SSH, or a header field. Whoever
// sends it may be a browser made to speak for an attacker: hang up (RFC 7301 and the ALPACA
// attack).
bool looks_like_another_protocol(std::string_view line);

}  // namespace postern::smtp
