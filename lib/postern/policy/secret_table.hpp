// The table of a SecretList.
#pragma once

#include <postern/policy/lists.hpp>

#include <array>
#include <string>
#include <string_view>
#include <unordered_map>

namespace postern::policy {

class SecretTable {
 public:
  // Why `entry` is none; empty: it was added. A user stands once.
  std::string add(std::string_view entry);
  void reserve(std::size_t entries, std::size_t) { secrets_.reserve(entries); }
  void finish() {}

  const auth::StoredSecret* find(std::string_view user) const;
  const auth::StoredSecret* any_of(auth::StoredSecret::Form form) const;
  std::size_t size() const { return secrets_.size(); }
  std::size_t count(auth::StoredSecret::Form form) const {
    return counts_[static_cast<std::size_t>(form)];
  }

  static constexpr bool comment_only_first = true;  // a password may hold " #"
  static constexpr bool holds_secrets = true;

 private:
  std::unordered_map<std::string, auth::StoredSecret> secrets_;  // by names in lower case
  std::array<std::size_t, 3> counts_{};
  std::array<const auth::StoredSecret*, 3> some_{};  // of each form
};

}  // namespace postern::policy
