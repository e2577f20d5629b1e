// What tests of dnsbl share: a listed client and the lists that name it.
#pragma once

#include <postern/dns/names.hpp>

#include <fmt/format.h>

#include <string>

#include "support/dialogue.hpp"

namespace postern::test {

constexpr const char* client = "192.0.2.1";

inline std::string name_in(const std::string& zone, const std::string& address = client) {
  return dns::reverse_name(*IpAddress::parse(address)) + "." + zone;
}

inline void list(testing::Harness& h, const std::string& zone, const std::string& text = {},
                 const std::string& answer = "127.0.0.2", const std::string& address = client) {
  h.dns.add_a(name_in(zone, address), answer);
  if (!text.empty()) h.dns.add_txt(name_in(zone, address), text);
}

// The entries that a list has for whoever tests it (RFC 5782 section 5).
inline void add_test_entry(testing::Harness& h, const std::string& zone) {
  h.dns.add_a("2.0.0.127." + zone, "127.0.0.2");
}

}  // namespace postern::test
