// The ESMTP parameters of MAIL and RCPT (RFC 5321 section 4.1.1.11).
#pragma once

#include <postern/base/result.hpp>
#include <postern/smtp/capabilities.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::smtp {

enum class Body : std::uint8_t { unspecified, seven_bit, eight_bit_mime, binary_mime };
enum class Ret : std::uint8_t { unspecified, full, headers };

// The values that are text are kept as the client encoded them: that is how they are forwarded.
struct MailParameters {
  std::optional<std::uint64_t> size;  // SIZE (RFC 1870), what the client announces, in octets
  Body body = Body::unspecified;      // BODY (RFC 6152, RFC 3030)
  Ret ret = Ret::unspecified;         // RET (RFC 3461 section 4.3)
  bool smtputf8 = false;              // SMTPUTF8 (RFC 6531 section 3.4)
  bool prdr = false;                  // PRDR (draft-hall-prdr)
  bool requiretls = false;            // REQUIRETLS (RFC 8689)
  std::string envid;                  // ENVID (RFC 3461 section 4.4), xtext; empty: not given
  std::string auth;                   // AUTH (RFC 4954 section 5), xtext or "<>"; empty: not given
  std::string text;                   // all of them as received, without the blank in front
};

// NOTIFY (RFC 3461 section 4.1) as bits; never stands alone.
struct Notify {
  bool never = false;
  bool success = false;
  bool failure = false;
  bool delay = false;
  bool operator==(const Notify&) const = default;
};

struct RcptParameters {
  std::optional<Notify> notify;
  std::string orcpt;  // ORCPT (RFC 3461 section 4.2), "rfc822;" and xtext; empty: not given
  std::string text;   // all of them as received, without the blank in front
};

// In: what follows the path, and what we offered in EHLO (nothing after HELO).
// Errors: unsupported (555): a parameter that is unknown or not offered; malformed (501): repeated,
// or a value that its grammar does not have, or one that hides a control octet in its encoding.
// REQUIRETLS is read also where it is not offered: its refusal says more than 555 (RFC 8689 section
// 5).
Result<MailParameters> parse_mail_parameters(std::string_view text, const Capabilities& offered);
Result<RcptParameters> parse_rcpt_parameters(std::string_view text, const Capabilities& offered);

// What AUTH= says of the message's author becomes "<>", unknown: whoever says it is not trusted
// with that (RFC 4954 section 5).
void distrust_auth(MailParameters& parameters);

// Of `text`, those parameters that a downstream with `offered` takes, each octet for octet and with
// a blank in front: "" or " SIZE=10 BODY=8BITMIME". What is left out is the caller's duty to
// bridge. PRDR is: we ask nobody for it.
std::string parameters_for(std::string_view text, const Capabilities& offered);

}  // namespace postern::smtp
