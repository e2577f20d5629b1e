#include <postern/base/text.hpp>
#include <postern/policy/network_table.hpp>

#include <algorithm>
#include <optional>

namespace postern::policy {
namespace {

using Octets = NetworkTable::Octets;

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

Octets masked(Octets octets, unsigned bits) {
  for (unsigned i = 0; i < octets.size(); ++i) {
    const unsigned kept = bits > i * 8 ? std::min(bits - i * 8, 8U) : 0;
    octets[i] = static_cast<std::uint8_t>(octets[i] & (0xff00U >> kept));
  }
  return octets;
}

}  // namespace

std::size_t NetworkTable::Hash::operator()(const Octets& octets) const {
  return std::hash<std::string_view>()(
      {reinterpret_cast<const char*>(octets.data()), octets.size()});
}

std::string NetworkTable::add(std::string_view line) {
  const auto blank = line.find_first_of(" \t");
  const std::string_view text = line.substr(0, blank);
  const auto prefix = parse(text);
  if (!prefix) return "is neither an address nor a network, such as 192.0.2.0/24";
  const Octets base = masked(prefix->base.octets(), prefix->bits);
  const auto number = static_cast<std::uint32_t>(entries_.size());
  by_length_[prefix->bits].try_emplace(base, number);  // the first of the same stays
  std::string_view rest = blank == std::string_view::npos ? std::string_view() : line.substr(blank);
  entries_.push_back({std::string(text), std::string(trim(rest))});
  return {};
}

const NetworkList::Entry* NetworkTable::match(const IpAddress& address) const {
  std::size_t first = entries_.size();
  for (const auto& [bits, entries] : by_length_) {
    if (address.is_v4() && bits < 96) continue;  // ::/0 means IPv6
    const auto found = entries.find(masked(address.octets(), bits));
    if (found != entries.end()) first = std::min<std::size_t>(first, found->second);
  }
  return first == entries_.size() ? nullptr : &entries_[first];
}

}  // namespace postern::policy
