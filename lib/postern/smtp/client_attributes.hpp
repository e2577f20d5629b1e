// What XCLIENT and XFORWARD say of a client (Postfix's XCLIENT_README and XFORWARD_README).
#pragma once

#include <postern/base/ip.hpp>
#include <postern/base/result.hpp>
#include <postern/smtp/capabilities.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace postern::smtp {

// Each is absent until it is said. What the peer itself does not know ([UNAVAILABLE],
// [TEMPUNAVAIL]) is an empty text, the address 0.0.0.0, the port 0.
struct ClientAttributes {
  std::optional<std::string> name;          // a domain
  std::optional<std::string> reverse_name;  // likewise, not confirmed
  std::optional<std::string> helo;
  std::optional<std::string> login;  // who has authenticated to the peer
  std::optional<std::string> ident;  // the peer's own name for the session or message
  std::optional<IpAddress> addr;
  std::optional<IpAddress> destaddr;
  std::optional<std::uint16_t> port;
  std::optional<std::uint16_t> destport;
  std::optional<bool> esmtp;  // PROTO
  std::optional<bool> local;  // SOURCE: it came up at the peer itself
};

// Of XCLIENT, of XFORWARD, as we offer them.
Flags<Attribute> xclient_attributes();
Flags<Attribute> xforward_attributes();

// Reads "NAME=VALUE …" over what `known` holds; with an error `known` stays as it was. Values are
// xtext and at most 255 octets; an attribute stands once in a command. LOGIN=[UNAVAILABLE] says
// that nobody has. XFORWARD may tell of names, addresses and protocols that are not SMTP's: they
// count as not known.
// Errors: malformed, also for a control or non-ASCII octet behind xtext; unsupported: an attribute
// that is not among `offered`; too_long.
Result<void> read_client_attributes(std::string_view argument, Flags<Attribute> offered,
                                    ClientAttributes& known);

}  // namespace postern::smtp
