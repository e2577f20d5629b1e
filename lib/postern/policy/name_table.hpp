// A set of lower-case names with a few flags each, made for millions of them: one block of octets
// and one of slots instead of a node for each.
#pragma once

#include <postern/policy/hash_index.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::policy {

class NameTable {
 public:
  static constexpr std::size_t max_name_octets = 1000;

  // Room for `names` more of `octets` in all, so that adding them moves nothing.
  void reserve(std::size_t names, std::size_t octets);

  // Sets `flags` (not 0) for `name`, beside those it has. False: the name is empty or too long.
  bool add(std::string_view name, std::uint8_t flags);

  // The flags of `name`, 0 when it is absent. Allocates nothing.
  std::uint8_t find(std::string_view name) const;

  std::size_t size() const { return index_.size(); }
  std::size_t octets() const { return names_.size(); }

  // Calls use(context, name, flags) for each name, in the order in which they came.
  void each(void (*use)(void* context, std::string_view name, std::uint8_t flags),
            void* context) const;

 private:
  std::string_view name_at(std::size_t at) const;

  std::string names_;  // each: its flags, two octets of length, and the name
  HashIndex index_;    // of where it begins in `names_`
};

}  // namespace postern::policy
