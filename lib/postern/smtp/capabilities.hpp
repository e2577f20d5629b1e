// What a server offers in its reply to EHLO: read from a downstream, written by us.
#pragma once

#include <postern/smtp/reply.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::smtp {

// Attributes of XCLIENT and XFORWARD (Postfix's XCLIENT_README and XFORWARD_README), as bits of a
// set.
enum class Attribute : std::uint16_t {
  name = 1 << 0,
  addr = 1 << 1,
  port = 1 << 2,
  proto = 1 << 3,
  helo = 1 << 4,
  login = 1 << 5,
  destaddr = 1 << 6,
  destport = 1 << 7,
  reverse_name = 1 << 8,
  source = 1 << 9,
  ident = 1 << 10,
};

enum class AuthMechanism : std::uint16_t {
  plain = 1 << 0,
  login = 1 << 1,
  cram_md5 = 1 << 2,
  scram_sha_1 = 1 << 3,
  scram_sha_256 = 1 << 4,
  external = 1 << 5,
  xoauth2 = 1 << 6,
  oauthbearer = 1 << 7,
};

// A small set of the flags above; 0: not offered at all.
template <typename Flag>
struct Flags {
  std::uint16_t bits = 0;
  constexpr bool has(Flag flag) const { return (bits & static_cast<std::uint16_t>(flag)) != 0; }
  constexpr Flags& add(Flag flag) {
    bits = static_cast<std::uint16_t>(bits | static_cast<std::uint16_t>(flag));
    return *this;
  }
  constexpr bool empty() const { return bits == 0; }
  constexpr bool operator==(const Flags&) const = default;
};

// One value for both directions: what a downstream can do, and which extensions we offer, by which
// the parameters of MAIL and RCPT are judged. Trivially copyable.
struct Capabilities {
  bool pipelining = false;             // RFC 2920
  bool eight_bit_mime = false;         // RFC 6152
  bool size = false;                   // RFC 1870
  bool dsn = false;                    // RFC 3461
  bool smtputf8 = false;               // RFC 6531
  bool enhanced_status_codes = false;  // RFC 2034
  bool chunking = false;               // RFC 3030
  bool binarymime = false;             // RFC 3030
  bool starttls = false;               // RFC 3207
  bool prdr = false;                   // draft-hall-prdr
  bool requiretls = false;             // RFC 8689
  bool help = false;
  bool vrfy = false;
  std::uint64_t size_limit = 0;         // with `size`: octets; 0: no fixed maximum
  std::uint32_t limit_mail = 0;         // LIMITS MAILMAX (RFC 9422); 0: not told
  std::uint32_t limit_rcpt = 0;         // RCPTMAX
  std::uint32_t limit_rcpt_domain = 0;  // RCPTDOMAINMAX
  Flags<AuthMechanism> auth = {};       // RFC 4954
  bool auth_parameter = false;          // MAIL takes AUTH=, whatever is listed
  Flags<Attribute> xclient = {};
  Flags<Attribute> xforward = {};

  bool operator==(const Capabilities&) const = default;
};

// From a positive reply to EHLO. Its first line is a greeting; keywords in any case, unknown ones
// skipped.
Capabilities parse_capabilities(const Reply& ehlo_reply);

// Our reply to EHLO: 250, "hostname" and the keywords offered, one a line.
Reply ehlo_reply(std::string_view hostname, const Capabilities& offered);

std::string_view name(Attribute attribute);  // "REVERSE_NAME"
std::string_view name(AuthMechanism mechanism);
std::optional<AuthMechanism> auth_mechanism(std::string_view name);  // in any case

// Takes an extension out by its keyword, in any case; one that is not there is none the less gone.
void withhold(Capabilities& offers, std::string_view keyword);

}  // namespace postern::smtp
