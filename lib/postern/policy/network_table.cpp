#include <postern/base/text.hpp>
#include <postern/policy/network_table.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace postern::policy {
namespace {

struct Prefix {
  IpAddress base;
  unsigned bits;  // of the 16-octet form
};

// Without `bits`: this address alone.
std::optional<Prefix> prefix_of(std::string_view text, std::optional<unsigned> bits) {
  const auto base = IpAddress::parse(text);
  if (!base) return {};
  const unsigned most = base->is_v4() ? 32 : 128;
  if (bits.value_or(0) > most) return {};
  return Prefix{*base, bits.value_or(most) + 128 - most};
}

// "192.0.2." and "2001:db8:"
std::optional<Prefix> beginning(std::string_view text) {
  const char mark = text.back();
  const auto parts = static_cast<unsigned>(std::count(text.begin(), text.end(), mark));
  std::string whole(text);
  if (mark == ':')
    return text.size() > 1 && parts < 8 ? prefix_of(whole + ':', parts * 16) : std::nullopt;
  if (parts > 3) return {};
  for (unsigned i = parts; i < 4; ++i) whole += i == 3 ? "0" : "0.";
  return prefix_of(whole, parts * 8);
}

std::optional<Prefix> parse(std::string_view text) {
  if (text.ends_with('.') || (text.ends_with(':') && !text.ends_with("::"))) return beginning(text);
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return prefix_of(text, {});
  const auto bits = to_number<unsigned>(text.substr(slash + 1));
  if (!bits) return {};
  return prefix_of(text.substr(0, slash), *bits);
}

// The first `bits` of 64 are ones.
std::uint64_t mask(unsigned bits) {
  return bits == 0 ? 0 : ~std::uint64_t{0} << (64 - std::min(bits, 64U));
}

}  // namespace

NetworkTable::Base NetworkTable::base_of(const IpAddress& address) {
  Base base;
  const auto& octets = address.octets();
  for (std::size_t i = 0; i < 8; ++i) base.high = base.high << 8 | octets[i];
  for (std::size_t i = 8; i < 16; ++i) base.low = base.low << 8 | octets[i];
  return base;
}

NetworkTable::Base NetworkTable::masked(Base base, unsigned bits) {
  return {base.high & mask(bits), bits > 64 ? base.low & mask(bits - 64) : 0};
}

// Multiplied by odd numbers without a pattern, so that networks side by side lie apart.
std::uint32_t NetworkTable::hash_of(Base base) {
  const std::uint64_t mixed =
      (base.high ^ (base.high >> 29)) * 0xbf58476d1ce4e5b9U ^ base.low * 0x9e3779b97f4a7c15U;
  return static_cast<std::uint32_t>((mixed ^ (mixed >> 32)) * 0x94d049bb133111ebU >> 32);
}

std::string NetworkTable::add(std::string_view line) {
  const auto blank = line.find_first_of(" \t");
  const std::string_view text = line.substr(0, blank);
  const auto prefix = parse(text);
  if (!prefix) return "is neither an address nor a network, such as 192.0.2.0/24";
  const Base base = masked(base_of(prefix->base), prefix->bits);
  const auto number = static_cast<std::uint32_t>(entries_.size());
  auto length = std::find_if(lengths_.begin(), lengths_.end(),
                             [&](const Length& each) { return each.bits == prefix->bits; });
  if (length == lengths_.end()) length = lengths_.insert(length, Length{prefix->bits, {}});
  std::string_view rest = blank == std::string_view::npos ? std::string_view() : line.substr(blank);
  entries_.push_back({std::string(text), std::string(trim(rest))});
  bases_.push_back(base);
  // Of the same ones the first counts.
  length->index.insert(hash_of(base), number,
                       [&](std::uint32_t other) { return bases_[other] == base; });
  return {};
}

const NetworkList::Entry* NetworkTable::match(const IpAddress& address) const {
  const Base base = base_of(address);
  std::array<std::uint32_t, 129> hashes;
  const auto is_asked = [&](unsigned bits) { return !address.is_v4() || bits >= 96; };  // ::/0: v6
  for (std::size_t i = 0; i < lengths_.size(); ++i) {
    const Length& length = lengths_[i];
    if (!is_asked(length.bits)) continue;
    hashes[i] = hash_of(masked(base, length.bits));
    length.index.prefetch(hashes[i]);
  }
  std::uint32_t first = HashIndex::none;
  for (std::size_t i = 0; i < lengths_.size(); ++i) {
    const Length& length = lengths_[i];
    if (!is_asked(length.bits)) continue;
    const Base wanted = masked(base, length.bits);
    first = std::min(first, length.index.find(hashes[i], [&](std::uint32_t number) {
      return bases_[number] == wanted;
    }));
  }
  return first == HashIndex::none ? nullptr : &entries_[first];
}

}  // namespace postern::policy
