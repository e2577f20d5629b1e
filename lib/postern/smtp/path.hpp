// Reverse-paths and forward-paths: the arguments of MAIL and RCPT.
#pragma once

#include <postern/base/result.hpp>

#include <string>
#include <string_view>

namespace postern::smtp {

// An envelope address. What is forwarded is `text`; the rest is for looking at.
struct Path {
  std::string text;        // as received between "<" and ">", a source route removed; empty for <>
  std::string local_part;  // as written, quotes included; empty for <>
  std::string
      domain;  // as written, an address literal with its brackets; empty for <> and <postmaster>

  bool is_null() const { return text.empty(); }
  bool is_address_literal() const { return domain.starts_with('['); }
  bool needs_smtputf8() const;  // RFC 6531 section 3.2

  // For look-ups and comparing only, never for sending: quotes and backslashes that change nothing
  // are gone, the domain is in lower case. The local-part keeps its case: whose case matters is its
  // owner's business (RFC 5321 section 2.4).
  std::string mailbox_key() const;

  bool operator==(const Path&) const = default;
};

// What stands behind FROM: or TO:, and what follows the path (the parameters, leading blanks
// removed).
struct PathArgument {
  Path path;
  std::string_view rest;  // a view into the argument
};

// RFC 5321 section 4.1.2 wants angle brackets. `optional` reads `RCPT TO: a@b.example` too, up to
// the first blank outside quotes, as most servers do.
enum class Brackets : unsigned char { required, optional };

// The argument of MAIL: "FROM:<...> ...", blanks behind the colon tolerated; and of RCPT:
// "TO:<...>". RCPT takes <postmaster> in any case, and not <>. Non-ASCII must be valid UTF-8
// without controls; the caller compares needs_smtputf8() with what the client asked for. Errors:
// not_found (no FROM: or TO:, or nothing behind it); malformed; too_long. Source: RFC 5321
// sections 4.1.1.2, 4.1.1.3, 4.1.2, 4.5.1; RFC 6531 section 3.3.
Result<PathArgument> parse_mail_argument(std::string_view argument,
                                         Brackets brackets = Brackets::required);
Result<PathArgument> parse_rcpt_argument(std::string_view argument,
                                         Brackets brackets = Brackets::required);

// The same from where the path begins.
Result<PathArgument> parse_reverse_path(std::string_view text,
                                        Brackets brackets = Brackets::required);
Result<PathArgument> parse_forward_path(std::string_view text,
                                        Brackets brackets = Brackets::required);

// A mailbox without brackets, the whole of `text` ("a@b.example"): for configuration and lists.
Result<Path> parse_mailbox(std::string_view text);

}  // namespace postern::smtp
