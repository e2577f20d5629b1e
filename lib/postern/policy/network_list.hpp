// Lists of addresses and networks, each with a text: what qpsmtpd has in hosts_allow and in its
// lists of hosts. Like the other lists (lists.hpp), with a key that names a file.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/policy/lists.hpp>

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace postern::policy {

class NetworkTable;

// An entry is one of these and, after blanks, its text:
//   192.0.2.7, 2001:db8::7           this address
//   192.0.2.0/24, 2001:db8::/32      this network
//   192.0.2.  2001:db8:              whatever begins so: whole octets, or groups of four digits
// Of several entries that hold an address, the first counts, and what stands in the configuration
// stands before what stands in a file.
class NetworkList {
 public:
  struct Entry {
    std::string network;  // as written
    std::string text;     // what stands behind it
  };

  // Valid until the loop turns. nullptr: none holds it. Allocates nothing.
  const Entry* match(const IpAddress& address) const;
  bool contains(const IpAddress& address) const { return match(address) != nullptr; }
  bool empty() const { return size() == 0; }
  std::size_t size() const;

  static NetworkList of(const std::vector<std::string>& entries);  // of good ones only: for tests

  ListTables<NetworkTable> tables;
};

Codec codec(std::type_identity<NetworkList>);
Codec file_codec(std::type_identity<NetworkList>);

}  // namespace postern::policy
