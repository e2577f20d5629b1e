// How a downstream learns who our client is: XFORWARD and XCLIENT (Postfix), PROXY protocol
// (HAProxy).
#pragma once

#include <postern/deliver/envelope.hpp>
#include <postern/smtp/capabilities.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace postern::deliver {

enum class Identity : std::uint8_t { none, xforward, xclient, proxy_v1, proxy_v2 };

// Command lines with their CRLF, each at most 512 octets, of the attributes that are offered; NAME
// and ADDR come last for XCLIENT, whose state they end. Values are xtext, at most 255 octets.
std::vector<std::string> xforward_lines(const Client& client,
                                        const smtp::Flags<smtp::Attribute>& offered);
std::vector<std::string> xclient_lines(const Client& client,
                                       const smtp::Flags<smtp::Attribute>& offered);

// The octets that open the connection.
std::string proxy_v1_header(const Client& client);
std::string proxy_v2_header(const Client& client);

}  // namespace postern::deliver
