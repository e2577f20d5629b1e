// The entries of an AddressList: see lists.hpp for their forms.
#pragma once

#include <postern/policy/name_table.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::policy {

class AddressTable {
 public:
  // Why `entry` is none of the forms; empty: it was added.
  std::string add(std::string_view entry);
  void reserve(std::size_t entries, std::size_t octets) { names_.reserve(entries, octets); }
  void finish() {}

  // `local_part` with its quotes. Allocates nothing.
  bool contains(std::string_view local_part, std::string_view domain) const;
  std::size_t size() const { return names_.size(); }

  static constexpr bool comment_only_first = false;

 private:
  std::string add_name(std::string_view name, std::uint8_t kind);

  NameTable names_;
  std::uint8_t kinds_ = 0;  // those that occur: only they are looked for
};

}  // namespace postern::policy
