// The entries of a PatternList: exact ones by hash, all regular expressions at once.
#pragma once

#include <postern/policy/hash_index.hpp>
#include <postern/policy/lists.hpp>
#include <postern/policy/pattern.hpp>

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
  static constexpr std::size_t max_perl_expressions = 64;  // those that RE2 has not (pattern.hpp)
  // In one look-up so many may come to their limits; the rest counts as not matching.
  static constexpr std::size_t max_cut_short = 8;
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
  template <typename Use>
  void each_perl_match(std::string_view address, std::size_t end, const Use& use) const;
  std::uint32_t first_exact(std::string_view key) const;
  std::size_t find_exact(std::string_view address) const;
  std::size_t find_expression(std::string_view address) const;

  struct Expression {
    std::uint32_t entry;
    std::unique_ptr<Pattern> pattern;
  };
  using Expressions = std::vector<Expression>;  // by entry

  std::size_t find_linear(std::string_view address) const;

  std::int64_t octets_of_all_;
  std::vector<std::unique_ptr<char[]>> chunks_;  // of what entries point into
  std::size_t room_ = 0;                         // in the last chunk
  char* next_ = nullptr;
  std::vector<PatternList::Entry> entries_;
  HashIndex exact_;  // of numbers of entries, by their text in lower case
  std::unordered_multimap<std::string, std::uint32_t> exact_again_;  // those not the first
  bool has_domains_ = false;                                         // "@example.net"
  Expressions linear_;  // used alone when all at once need too much memory
  Expressions perls_;
  std::unique_ptr<re2::RE2::Set> all_linear_;  // null: none, or too large
};

}  // namespace postern::policy
