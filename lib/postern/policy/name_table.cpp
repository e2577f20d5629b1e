#include <postern/policy/name_table.hpp>

#include <bit>
#include <functional>
#include <limits>

namespace postern::policy {
namespace {

constexpr std::size_t head_octets = 3;  // flags, then the length, least octet first
constexpr std::size_t least_slots = 16;

std::uint32_t hash_of(std::string_view name) {
  const std::size_t hash = std::hash<std::string_view>{}(name);
  return static_cast<std::uint32_t>(hash ^ (hash >> 32));
}

}  // namespace

void NameTable::reserve(std::size_t names, std::size_t octets) {
  names_.reserve(names_.size() + octets + names * head_octets);
  const std::size_t wanted = std::bit_ceil((used_ + names) * 4 / 3 + least_slots);
  if (wanted > slots_.size()) grow(wanted);
}

bool NameTable::add(std::string_view name, std::uint8_t flags) {
  if (name.empty() || name.size() > max_name_octets) return false;
  if (names_.size() > std::numeric_limits<std::uint32_t>::max() - 2 * max_name_octets) return false;
  if ((used_ + 1) * 4 > slots_.size() * 3) grow(slots_.empty() ? least_slots : slots_.size() * 2);
  const std::uint32_t hash = hash_of(name);
  Slot& slot = slots_[slot_of(name, hash)];
  if (slot.at != 0) {
    names_[slot.at - 1] = static_cast<char>(static_cast<std::uint8_t>(names_[slot.at - 1]) | flags);
    return true;
  }
  slot = {hash, static_cast<std::uint32_t>(names_.size() + 1)};
  names_ += static_cast<char>(flags);
  names_ += static_cast<char>(name.size() & 0xff);
  names_ += static_cast<char>(name.size() >> 8);
  names_ += name;
  ++used_;
  return true;
}

std::uint8_t NameTable::find(std::string_view name) const {
  if (slots_.empty()) return 0;
  const Slot& slot = slots_[slot_of(name, hash_of(name))];
  return slot.at == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(names_[slot.at - 1]);
}

// Where `name` is, or the free slot where it belongs: there always is one.
std::size_t NameTable::slot_of(std::string_view name, std::uint32_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.at == 0 || (slot.hash == hash && name_at(slot.at - 1) == name)) return i;
  }
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

void NameTable::grow(std::size_t slots) {
  std::vector<Slot> bigger(slots);
  const std::size_t mask = slots - 1;
  for (const Slot& slot : slots_) {
    if (slot.at == 0) continue;
    std::size_t i = slot.hash & mask;
    while (bigger[i].at != 0) i = (i + 1) & mask;
    bigger[i] = slot;
  }
  slots_ = std::move(bigger);
}

}  // namespace postern::policy
