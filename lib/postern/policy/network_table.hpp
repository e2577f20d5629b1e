// The entries of a NetworkList: one hash table for each length of prefix that occurs.
#pragma once

#include <postern/policy/network_list.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace postern::policy {

class NetworkTable {
 public:
  using Octets = std::array<std::uint8_t, 16>;

  // Why `line` is no entry; empty: it was added.
  std::string add(std::string_view line);
  void reserve(std::size_t entries, std::size_t) { entries_.reserve(entries); }
  void finish() { entries_.shrink_to_fit(); }

  // The first entry that holds it: one look-up for each length of prefix that occurs.
  const NetworkList::Entry* match(const IpAddress& address) const;
  std::size_t size() const { return entries_.size(); }

  static constexpr bool comment_only_first = false;

 private:
  struct Hash {
    std::size_t operator()(const Octets& octets) const;
  };
  std::vector<NetworkList::Entry> entries_;
  // By length in bits of the 16-octet form: the entry of each base.
  std::map<unsigned, std::unordered_map<Octets, std::uint32_t, Hash>> by_length_;
};

}  // namespace postern::policy
