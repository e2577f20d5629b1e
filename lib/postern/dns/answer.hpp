// What the DNS said to a question. An answer is not an error, even when it says that there is
// nothing; that nobody answered is an error, and never "nothing there".
#pragma once

#include <postern/base/chrono.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace postern::dns {

template <typename Record>
struct Answer {
  std::vector<Record> records;  // empty: no data of the type asked for
  bool name_exists = true;      // false: NXDOMAIN, there is nothing of any type
  std::chrono::seconds ttl{0};  // for how long it may be kept from now on; 0: not at all

  bool empty() const { return records.empty(); }
};

struct Mx {
  std::uint16_t preference = 0;  // the lowest is tried first
  std::string host;              // without final dot; "" is the null MX, "." (RFC 7505)

  bool operator==(const Mx&) const = default;
};

}  // namespace postern::dns
