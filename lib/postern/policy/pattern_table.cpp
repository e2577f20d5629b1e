#include <postern/base/text.hpp>
#include <postern/policy/names.hpp>
#include <postern/policy/pattern_table.hpp>

#include <algorithm>
#include <array>
#include <cstring>

namespace postern::policy {
namespace {

constexpr std::size_t chunk_octets = 65536;
constexpr std::size_t max_key_octets = 1000;  // an address is shorter (RFC 5321 section 4.5.3.1.3)

re2::RE2::Options options(std::int64_t max_octets) {
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
  exact_.reserve(exact_.size() + entries);
}

std::string_view PatternTable::keep(std::string_view text) {
  if (text.empty()) return {};
  if (text.size() > room_) {
    room_ = std::max(chunk_octets, text.size());
    chunks_.push_back(std::make_unique<char[]>(room_));
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
  const std::string key = lower(text);
  // Of two equal ones the first counts.
  const auto number = static_cast<std::uint32_t>(entries_.size() - 1);
  const auto [first, is_new] =
      exact_.try_emplace(key == text ? entries_.back().text : keep(key), number);
  if (!is_new) exact_again_.emplace(first->first, number);
  return {};
}

std::string PatternTable::add_expression(std::string_view text) {
  if (expressions_.size() >= max_expressions)
    return "is one regular expression too many: at most " + std::to_string(max_expressions);
  if (text.size() >= 2 && text.front() == '/' && text.back() == '/')
    text = text.substr(1, text.size() - 2);
  if (text.empty()) return "is an empty regular expression, which every address matches";
  // Alone it is meant as it stands: "|" would match every address, "*" is no expression.
  const std::string itself =
      text.size() == 1 ? re2::RE2::QuoteMeta(piece(text)) : std::string(text);
  auto compiled = std::make_unique<re2::RE2>(itself, options(max_octets_of_one));
  if (!compiled->ok()) return "is no regular expression: " + compiled->error();
  expressions_.push_back({static_cast<std::uint32_t>(entries_.size() - 1), std::move(compiled)});
  return {};
}

void PatternTable::finish() {
  if (expressions_.empty()) return;
  all_ = std::make_unique<re2::RE2::Set>(options(octets_of_all_), re2::RE2::UNANCHORED);
  for (const Expression& expression : expressions_)
    if (all_->Add(expression.alone->pattern(), nullptr) < 0) return all_.reset();
  if (!all_->Compile()) all_.reset();
}

// The keys under which an exact entry for `address` may stand: itself, and its @domain.
template <typename Use>
void PatternTable::each_exact_key(std::string_view address, const Use& use) const {
  std::array<char, max_key_octets> buffer;
  if (exact_.empty() || address.size() > buffer.size()) return;
  const auto* end = std::transform(address.begin(), address.end(), buffer.begin(), ascii_lower);
  const std::string_view key(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
  use(key);
  if (const auto at = key.rfind('@'); at != std::string_view::npos && at > 0) use(key.substr(at));
}

std::size_t PatternTable::find_exact(std::string_view address) const {
  std::size_t first = none;
  each_exact_key(address, [&](std::string_view key) {
    const auto found = exact_.find(key);
    if (found != exact_.end()) first = std::min<std::size_t>(first, found->second);
  });
  return first;
}

std::size_t PatternTable::find_expression(std::string_view address) const {
  if (expressions_.empty()) return none;
  if (all_) {
    std::vector<int> matching;
    re2::RE2::Set::ErrorInfo error{};
    if (all_->Match(piece(address), &matching, &error))
      return expressions_[static_cast<std::size_t>(
                              *std::min_element(matching.begin(), matching.end()))]
          .entry;
    if (error.kind == re2::RE2::Set::kNoError) return none;
  }
  for (const Expression& expression : expressions_)
    if (re2::RE2::PartialMatch(piece(address), *expression.alone)) return expression.entry;
  return none;
}

const PatternList::Entry* PatternTable::match(std::string_view address) const {
  const std::size_t first = std::min(find_exact(address), find_expression(address));
  return first == none ? nullptr : &entries_[first];
}

void PatternTable::add_matches(std::string_view address,
                               std::vector<const PatternList::Entry*>& found) const {
  std::vector<std::uint32_t> numbers;
  each_exact_key(address, [&](std::string_view key) {
    if (const auto one = exact_.find(key); one != exact_.end()) numbers.push_back(one->second);
    const auto [begin, end] = exact_again_.equal_range(key);
    for (auto each = begin; each != end; ++each) numbers.push_back(each->second);
  });
  for (const Expression& expression : expressions_)
    if (re2::RE2::PartialMatch(piece(address), *expression.alone))
      numbers.push_back(expression.entry);
  std::sort(numbers.begin(), numbers.end());
  for (const std::uint32_t number : numbers) found.push_back(&entries_[number]);
}

}  // namespace postern::policy
