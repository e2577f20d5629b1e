#include <postern/policy/name_table.hpp>

#include <limits>

namespace postern::policy {
namespace {

constexpr std::size_t head_octets = 3;  // flags, then the length, least octet first

}  // namespace

void NameTable::reserve(std::size_t names, std::size_t octets) {
  names_.reserve(names_.size() + octets + names * head_octets);
  index_.reserve(names);
}

bool NameTable::add(std::string_view name, std::uint8_t flags) {
  if (name.empty() || name.size() > max_name_octets) return false;
  if (names_.size() > std::numeric_limits<std::uint32_t>::max() - 2 * max_name_octets) return false;
  const auto [at, is_new] =
      index_.insert(HashIndex::hash_of(name), static_cast<std::uint32_t>(names_.size()),
                    [&](std::uint32_t there) { return name_at(there) == name; });
  if (!is_new) {
    names_[at] = static_cast<char>(static_cast<std::uint8_t>(names_[at]) | flags);
    return true;
  }
  names_ += static_cast<char>(flags);
  names_ += static_cast<char>(name.size() & 0xff);
  names_ += static_cast<char>(name.size() >> 8);
  names_ += name;
  return true;
}

std::uint8_t NameTable::find(std::string_view name) const {
  const std::uint32_t at = index_.find(HashIndex::hash_of(name),
                                       [&](std::uint32_t there) { return name_at(there) == name; });
  return at == HashIndex::none ? std::uint8_t{0} : static_cast<std::uint8_t>(names_[at]);
}

std::string_view NameTable::name_at(std::size_t at) const {
  const auto low = static_cast<std::uint8_t>(names_[at + 1]);
  const auto high = static_cast<std::uint8_t>(names_[at + 2]);
  return std::string_view(names_).substr(at + head_octets, low + 256u * high);
}

void NameTable::each(void (*use)(void*, std::string_view, std::uint8_t), void* context) const {
  for (std::size_t at = 0; at < names_.size();) {
    const std::string_view name = name_at(at);
    use(context, name, static_cast<std::uint8_t>(names_[at]));
    at += head_octets + name.size();
  }
}

}  // namespace postern::policy
