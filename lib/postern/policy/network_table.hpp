// The entries of a NetworkList: one hash table for each length of prefix that occurs.
#pragma once

#include <postern/policy/hash_index.hpp>
#include <postern/policy/network_list.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::policy {

class NetworkTable {
 public:
  // Why `line` is no entry; empty: it was added.
  std::string add(std::string_view line);
  void reserve(std::size_t entries, std::size_t) {
    entries_.reserve(entries);
    bases_.reserve(entries);
  }
  void finish() {
    entries_.shrink_to_fit();
    bases_.shrink_to_fit();
  }

  // The first entry that holds it: one look-up for each length of prefix that occurs.
  const NetworkList::Entry* match(const IpAddress& address) const;
  std::size_t size() const { return entries_.size(); }

  static constexpr bool comment_only_first = false;

 private:
  // An address in its 16-octet form, as two numbers.
  struct Base {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const Base&) const = default;
  };
  // The networks of one length of prefix, in bits of the 16-octet form.
  struct Length {
    unsigned bits;
    HashIndex index;  // of numbers of entries, by `bases_`
  };

  static Base base_of(const IpAddress& address);
  static Base masked(Base base, unsigned bits);
  static std::uint32_t hash_of(Base base);

  std::vector<NetworkList::Entry> entries_;
  std::vector<Base> bases_;      // of each entry
  std::vector<Length> lengths_;  // those that occur
};

}  // namespace postern::policy
