// "local-part@domain" in lower case, on the stack: what tables of addresses are asked with.
#pragma once

#include <postern/policy/name_table.hpp>

#include <array>
#include <string>
#include <string_view>

namespace postern::policy {

class AddressKey {
 public:
  enum class Quotes : unsigned char {
    removed,     // they have been, and backslashes too
    as_written,  // "john doe" in quotes is john doe (RFC 5321 section 4.1.2)
  };

  AddressKey(std::string_view local_part, std::string_view domain, Quotes quotes);

  // Empty when the address is longer than any in a table.
  std::string_view whole() const { return {buffer_.data(), octets_}; }
  std::string_view local_part() const { return {buffer_.data(), local_part_octets_}; }
  std::string_view local_part_and_at() const {
    return whole().substr(0, octets_ == 0 ? 0 : local_part_octets_ + 1);
  }
  std::string_view domain() const {
    return octets_ == 0 ? std::string_view() : whole().substr(local_part_octets_ + 1);
  }

 private:
  std::array<char, NameTable::max_name_octets> buffer_;
  std::size_t octets_ = 0;
  std::size_t local_part_octets_ = 0;
};

// A local-part as it stands in a list, without its quotes and backslashes. Empty when it is none.
std::string unquoted_local_part(std::string_view local_part);

}  // namespace postern::policy
