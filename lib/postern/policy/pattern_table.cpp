#include <postern/base/text.hpp>
#include <postern/policy/names.hpp>
#include <postern/policy/pattern_table.hpp>

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace postern::policy {
namespace {

constexpr std::size_t first_chunk_octets = 128;
constexpr std::size_t chunk_octets = 65536;
constexpr std::size_t max_key_octets = 1000;  // an address is shorter (RFC 5321 section 4.5.3.1.3)

re2::RE2::Options options_of_all(std::int64_t max_octets) {
  re2::RE2::Options made;
  made.set_case_sensitive(false);
  made.set_log_errors(false);
  made.set_never_capture(true);
  made.set_max_mem(max_octets);
  return made;
}

// No address ends in '@', and a word without one is none.
bool may_be_address(std::string_view text) {
  return text.find('@') != std::string_view::npos && !text.ends_with('@');
}

// qpsmtpd's rule: what holds one of the first is a regular expression. The others are also met in
// addresses and address literals.
bool is_expression(std::string_view text) {
  if (text.find_first_of("/^$*+!%?\\") != std::string_view::npos) return true;
  return !may_be_address(text) && text.find_first_of("[](){}|,'\"") != std::string_view::npos;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

void PatternTable::reserve(std::size_t entries, std::size_t) {
  entries_.reserve(entries_.size() + entries);
  exact_.reserve(entries);
}

std::string_view PatternTable::keep(std::string_view text) {
  if (text.empty()) return {};
  if (text.size() > room_) {
    // Each larger than the last: most lists are short, and of a hundred thousand domains' one each.
    const std::size_t doubled = first_chunk_octets << std::min<std::size_t>(chunks_.size(), 16);
    room_ = std::max(std::min(doubled, chunk_octets), text.size());
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(room_));
    next_ = chunks_.back().get();
  }
  std::memcpy(next_, text.data(), text.size());
  const std::string_view kept(next_, text.size());
  next_ += text.size();
  room_ -= text.size();
  return kept;
}

std::string PatternTable::add(std::string_view line) {
  const auto blank = line.find_first_of(" \t");
  const std::string_view text = line.substr(0, blank);
  std::string_view reply =
      blank == std::string_view::npos ? std::string_view() : trim(line.substr(blank));
  if (reply.starts_with('#')) reply = {};
  if (!valid_utf8(line)) return "is not UTF-8";
  if (std::any_of(reply.begin(), reply.end(), is_control)) return "has a control character";
  entries_.push_back({keep(text), keep(reply)});
  std::string fault = is_expression(text) ? add_expression(text) : add_exact(text);
  if (!fault.empty()) entries_.pop_back();
  return fault;
}

std::string PatternTable::add_exact(std::string_view text) {
  const auto at = text.rfind('@');
  if (at == std::string_view::npos)
    return "is neither an address, @domain nor a regular expression";
  if (text.size() > max_key_octets) return "is too long";
  const std::string_view domain = text.substr(at + 1);
  if (const auto fault = fault_of_domain(domain); !fault.empty() && !domain.starts_with('['))
    return "has no domain behind its @: " + std::string(fault);
  std::string key = lower(text);
  const auto number = static_cast<std::uint32_t>(entries_.size() - 1);
  const bool is_new =
      exact_
          .insert(HashIndex::hash_of(key), number,
                  [&](std::uint32_t other) { return iequals(entries_[other].text, key); })
          .second;
  // Of two equal ones the first counts.
  if (!is_new) exact_again_.emplace(std::move(key), number);
  if (at == 0) has_domains_ = true;
  return {};
}

std::string PatternTable::add_expression(std::string_view text) {
  if (linear_.size() + perls_.size() >= max_expressions)
    return "is one regular expression too many: at most " + std::to_string(max_expressions);
  if (text.size() >= 2 && text.front() == '/' && text.back() == '/')
    text = text.substr(1, text.size() - 2);
  if (text.empty()) return "is an empty regular expression, which every address matches";
  // Alone it is meant as it stands: "|" would match every address, "*" is no expression.
  std::string itself = text.size() == 1 ? re2::RE2::QuoteMeta(piece(text)) : std::string(text);
  std::string fault;
  auto pattern = Pattern::compile(std::move(itself), fault);
  if (pattern == nullptr) return "is no regular expression: " + fault;
  if (!pattern->is_linear() && perls_.size() >= max_perl_expressions)
    return fmt::format(
        "is one regular expression too many with look-around or the like: at most {}",
        max_perl_expressions);
  Expressions& like_it = pattern->is_linear() ? linear_ : perls_;
  like_it.push_back({static_cast<std::uint32_t>(entries_.size() - 1), std::move(pattern)});
  return {};
}

void PatternTable::finish() {
  if (linear_.empty()) return;
  all_linear_ =
      std::make_unique<re2::RE2::Set>(options_of_all(octets_of_all_), re2::RE2::UNANCHORED);
  for (const Expression& expression : linear_)
    if (all_linear_->Add(expression.pattern->text(), nullptr) < 0) return all_linear_.reset();
  if (!all_linear_->Compile()) all_linear_.reset();
}

// The keys under which an exact entry for `address` may stand: itself, and its @domain.
template <typename Use>
void PatternTable::each_exact_key(std::string_view address, const Use& use) const {
  std::array<char, max_key_octets> buffer;
  if (exact_.size() == 0 || address.size() > buffer.size()) return;
  const auto* end = std::transform(address.begin(), address.end(), buffer.begin(), ascii_lower);
  const std::string_view key(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  use(key);
  if (!has_domains_) return;
  if (const auto at = key.rfind('@'); at != std::string_view::npos && at > 0) use(key.substr(at));
}

std::uint32_t PatternTable::first_exact(std::string_view key) const {
  return exact_.find(HashIndex::hash_of(key),
                     [&](std::uint32_t number) { return iequals(entries_[number].text, key); });
}

std::size_t PatternTable::find_exact(std::string_view address) const {
  std::size_t first = none;
  each_exact_key(address, [&](std::string_view key) {
    const std::uint32_t found = first_exact(key);
    if (found != HashIndex::none) first = std::min<std::size_t>(first, found);
  });
  return first;
}

std::size_t PatternTable::find_linear(std::string_view address) const {
  if (all_linear_) {
    std::vector<int> matching;
    re2::RE2::Set::ErrorInfo error{};
    if (all_linear_->Match(piece(address), &matching, &error))
      return linear_[static_cast<std::size_t>(*std::min_element(matching.begin(), matching.end()))]
          .entry;
    if (error.kind == re2::RE2::Set::kNoError) return none;
  }
  for (const Expression& expression : linear_)
    if (expression.pattern->look_in(address) == Pattern::Found::yes) return expression.entry;
  return none;
}

// Calls use(entry) for each of `perls_` that matches and stands before the entry `end`, until that
// returns false.
template <typename Use>
void PatternTable::each_perl_match(std::string_view address, std::size_t end,
                                   const Use& use) const {
  std::size_t cut_short = 0;
  for (const Expression& expression : perls_) {
    if (expression.entry >= end) return;
    const Pattern::Found found = expression.pattern->look_in(address);
    if (found == Pattern::Found::yes && !use(expression.entry)) return;
    if (found == Pattern::Found::cut_short && ++cut_short == max_cut_short) return;
  }
}

std::size_t PatternTable::find_expression(std::string_view address) const {
  std::size_t first = find_linear(address);
  each_perl_match(address, first, [&](std::uint32_t entry) {
    first = entry;
    return false;
  });
  return first;
}

const PatternList::Entry* PatternTable::match(std::string_view address) const {
  const std::size_t first = std::min(find_exact(address), find_expression(address));
  return first == none ? nullptr : &entries_[first];
}

void PatternTable::add_matches(std::string_view address,
                               std::vector<const PatternList::Entry*>& found) const {
  std::vector<std::uint32_t> numbers;
  each_exact_key(address, [&](std::string_view key) {
    const std::uint32_t one = first_exact(key);
    if (one == HashIndex::none) return;
    numbers.push_back(one);
    const auto [begin, end] = exact_again_.equal_range(std::string(key));
    for (auto each = begin; each != end; ++each) numbers.push_back(each->second);
  });
  for (const Expression& expression : linear_)
    if (expression.pattern->look_in(address) == Pattern::Found::yes)
      numbers.push_back(expression.entry);
  each_perl_match(address, none, [&](std::uint32_t entry) {
    numbers.push_back(entry);
    return true;
  });
  std::sort(numbers.begin(), numbers.end());
  for (const std::uint32_t number : numbers) found.push_back(&entries_[number]);
}

}  // namespace postern::policy
