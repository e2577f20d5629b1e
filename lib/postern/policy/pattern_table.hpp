// The entries of a PatternList: exact ones by hash, all regular expressions at once.
#pragma once

#include <postern/policy/lists.hpp>

#include <re2/re2.h>
#include <re2/set.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace postern::policy {

class PatternTable {
 public:
  static constexpr std::size_t max_expressions = 2000;
  static constexpr std::int64_t max_octets_of_one = std::int64_t{1} << 20;   // compiled
  static constexpr std::int64_t max_octets_of_all = std::int64_t{64} << 20;  // compiled and cached

  explicit PatternTable(std::int64_t octets_of_all = max_octets_of_all)
      : octets_of_all_(octets_of_all) {}
  PatternTable(const PatternTable&) = delete;
  PatternTable& operator=(const PatternTable&) = delete;

  // Why `line` is no entry; empty: it was added.
  std::string add(std::string_view line);
  void reserve(std::size_t entries, std::size_t octets);
  void finish();  // after the last add()

  // The first entry that matches. Microseconds with expressions, below one without.
  const PatternList::Entry* match(std::string_view address) const;
  // All that match, in their order, behind those in `found`.
  void add_matches(std::string_view address, std::vector<const PatternList::Entry*>& found) const;
  const std::vector<PatternList::Entry>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }

  static constexpr bool comment_only_first = true;

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  std::string_view keep(std::string_view text);
  std::string add_exact(std::string_view text);
  std::string add_expression(std::string_view text);
  template <typename Use>
  void each_exact_key(std::string_view address, const Use& use) const;
  std::size_t find_exact(std::string_view address) const;
  std::size_t find_expression(std::string_view address) const;

  struct Expression {
    std::uint32_t entry;
    std::unique_ptr<re2::RE2> alone;  // for when all at once need too much memory
  };

  std::int64_t octets_of_all_;
  std::vector<std::unique_ptr<char[]>> chunks_;  // of what entries and keys point into
  std::size_t room_ = 0;                         // in the last chunk
  char* next_ = nullptr;
  std::vector<PatternList::Entry> entries_;
  std::unordered_map<std::string_view, std::uint32_t> exact_;             // in lower case
  std::unordered_multimap<std::string_view, std::uint32_t> exact_again_;  // those not the first
  std::vector<Expression> expressions_;                                   // by entry
  std::unique_ptr<re2::RE2::Set> all_;  // null: none, or too large
};

}  // namespace postern::policy
