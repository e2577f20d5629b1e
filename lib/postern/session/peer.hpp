// Somebody who may tell us who the client is: a balancer, a proxy, a mail server before us.
#pragma once

#include <postern/deliver/envelope.hpp>
#include <postern/plugin/hook.hpp>
#include <postern/session/listener.hpp>
#include <postern/session/party.hpp>
#include <postern/smtp/client_attributes.hpp>

#include <memory>
#include <optional>

namespace postern::session {

// Only sessions with such peers have one. docs/adr/0005 says why it is like this.
struct Peer {
  explicit Peer(const Listener& where) : listener(where) {}
  // Null: nobody that the listener trusts. `listener` outlives it.
  static std::unique_ptr<Peer> at(const Listener& listener, const IpAddress& address);
  // XCLIENT and XFORWARD are for those who are listed.
  void may_tell(const IpAddress& address);

  const Listener& listener;
  deliver::Client met;  // the client before any XCLIENT: the peer itself, or whom PROXY has told
  deliver::Client own;  // the client, where no XFORWARD says otherwise: the peer itself, or whom
                        // PROXY or XCLIENT has told
  smtp::ClientAttributes told;                      // by XCLIENT, so far
  std::optional<smtp::ClientAttributes> forwarded;  // by XFORWARD, for the next transaction
  std::optional<Refusal> refusal;                   // of the client, for the MAIL at hand
  plugin::Hook refused_at = plugin::Hook::connect;
  bool sends_header = false;  // PROXY's
  bool may_xclient = false;
  bool may_xforward = false;
  bool put_off = false;  // admit, connect and helo have not been run for the client: MAIL is what
                         // they wait for, or XCLIENT
  bool changed = false;  // the client at hand is no more: before the next command it is `own`
  bool forwarding = false;  // the client at hand is the forwarded one
  bool is_own = false;      // the proxy's own connection (LOCAL, UNKNOWN)
  bool is_unmet = false;    // no header came: this was no session
  bool extended = false;    // it has greeted with EHLO itself
};

}  // namespace postern::session
