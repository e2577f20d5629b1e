// The header by which a proxy says who its client is: PROXY protocol, versions 1 and 2, as
// HAProxy's proxy-protocol.txt has it. Pure: octets in, a value out.
#pragma once

#include <postern/base/ip.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::net {

// The longest line of version 1, CRLF included (section 2.1); the longest header of version 2.
inline constexpr std::size_t proxy_v1_octets = 107;
inline constexpr std::size_t proxy_v2_octets = 16 + 65'535;

struct ProxyHeader {
  enum class State : std::uint8_t { need_more, done, malformed };

  State state = State::need_more;
  std::size_t octets = 0;   // done: of the header; what stands behind it is the client's
  bool has_client = false;  // done: else the connection is the proxy's own (LOCAL, UNKNOWN), or its
                            // client's address is no TCP address: who connected stands for himself
  SocketAddress client;     // done, with has_client
  SocketAddress local;      // ... and where it connected to
  const char* problem = "";  // malformed: what is wrong, for the log
};

// What `input`, the first octets of a connection, is. Malformed as soon as no octet that may follow
// makes it a header; never reads behind the header.
//
// Version 1 is taken as it is specified and no other way: CRLF, single blanks, addresses of the
// family that is named, numbers without leading zeros. Of version 2 an unknown family is skipped;
// TLVs must fill the rest to the octet, and a CRC32C among them must be right.
ProxyHeader parse_proxy_header(std::string_view input);

// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `octets`, going on from `before`.
std::uint32_t crc32c(std::string_view octets, std::uint32_t before = 0);

}  // namespace postern::net
