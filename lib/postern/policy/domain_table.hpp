// The entries of a DomainList.
#pragma once

#include <postern/policy/domain_list.hpp>
#include <postern/policy/name_table.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::policy {

class DomainTable {
 public:
  // Why `entry` is none; empty: it was added.
  std::string add(std::string_view entry);
  void reserve(std::size_t entries, std::size_t octets) { names_.reserve(entries, octets); }
  void finish() {}

  std::string_view find(std::string_view name) const;
  std::size_t size() const { return names_.size(); }

  static constexpr bool comment_only_first = false;

 private:
  NameTable names_;
};

}  // namespace postern::policy
