// How long each side of SMTP waits, with the source of each number. All are defaults; a site under
// stress shortens them (and then says 421), nobody lengthens the absolute ones without a reason.
#pragma once

#include <chrono>

namespace postern::smtp::timeouts {

using namespace std::chrono_literals;

// We are the server.
inline constexpr std::chrono::seconds command = 300s;      // RFC 5321 section 4.5.3.2.7
inline constexpr std::chrono::seconds body_block = 180s;   // no octet of the body for so long
inline constexpr std::chrono::seconds body_total = 3600s;  // from 354 to the end of data
inline constexpr std::chrono::seconds end_of_data = 60s;   // to our final reply; RFC 1047: be quick
inline constexpr std::chrono::seconds proxy_header =
    5s;  // PROXY protocol: header from a known proxy
inline constexpr std::chrono::seconds tls_handshake = 30s;
inline constexpr std::chrono::seconds drain = 60s;         // SIGTERM: what may still finish
inline constexpr std::chrono::seconds reply_write = 300s;  // the client does not read what we say

// We are the client of a downstream. The RFC's minimum is right where a human queue waits; where
// our own client waits behind us, connect and greeting are shorter so that another address can be
// tried.
inline constexpr std::chrono::seconds downstream_connect = 30s;
inline constexpr std::chrono::seconds downstream_greeting = 60s;  // RFC 5321 4.5.3.2.1 says 300
inline constexpr std::chrono::seconds downstream_ehlo = 60s;
inline constexpr std::chrono::seconds downstream_mail = 300s;   // RFC 5321 section 4.5.3.2.2
inline constexpr std::chrono::seconds downstream_rcpt = 300s;   // RFC 5321 section 4.5.3.2.3
inline constexpr std::chrono::seconds downstream_data = 120s;   // RFC 5321 section 4.5.3.2.4
inline constexpr std::chrono::seconds downstream_block = 180s;  // RFC 5321 section 4.5.3.2.5
// RFC 5321 section 4.5.3.2.6 gives the client 600 s for the final reply: ours gives us as much, so
// we end a minute earlier and can still tell it.
inline constexpr std::chrono::seconds downstream_end_of_data = 540s;
inline constexpr std::chrono::seconds downstream_quit = 5s;  // courtesy, nothing depends on it

}  // namespace postern::smtp::timeouts
