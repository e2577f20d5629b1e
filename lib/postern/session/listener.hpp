// What holds for the clients of one listening address.
#pragma once

#include <postern/base/ip.hpp>

#include <cstdint>
#include <vector>

namespace postern::session {

// Who may tell us who the client is. A connection's own address counts, never one that was told:
// loopback is nothing special, and nobody is trusted for what he says of himself.
struct Listener {
  enum class Tls : std::uint8_t { none, starttls, implicit };
  enum class Auth : std::uint8_t { off, offer, require };

  std::vector<Network> proxy_from;     // begins with a PROXY header, or is no client at all
  std::vector<Network> xclient_from;   // may use XCLIENT
  std::vector<Network> xforward_from;  // may use XFORWARD

  Tls tls = Tls::none;
  Auth auth = Auth::offer;

  bool trusts_anybody() const {
    return !proxy_from.empty() || !xclient_from.empty() || !xforward_from.empty();
  }
};

}  // namespace postern::session
