// Where things are by their hash: eight octets a slot, of which at least a quarter is free. The
// things themselves, and what makes two of them equal, are the user's.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::policy {

class HashIndex {
 public:
  static constexpr std::uint32_t none = 0xffffffff;  // no number is so large

  static std::uint32_t hash_of(std::string_view name) {
    const std::size_t hash = std::hash<std::string_view>{}(name);
    return static_cast<std::uint32_t>(hash ^ (hash >> 32));
  }

  // Room for so many more, so that adding them moves nothing.
  void reserve(std::size_t more) {
    const std::size_t wanted = std::bit_ceil((used_ + more) * 4 / 3 + 1);
    if (wanted > slots_.size()) grow(std::max(wanted, least_slots));
  }

  // The number of what equals(number) says is meant; `none`: it is not there.
  template <typename Equals>
  std::uint32_t find(std::uint32_t hash, const Equals& equals) const {
    return slots_.empty() ? none : slots_[slot_of(hash, equals)].number;
  }

  // The same; where it is not there, `number` is from now on.
  template <typename Equals>
  std::pair<std::uint32_t, bool> insert(std::uint32_t hash, std::uint32_t number,
                                        const Equals& equals) {
    if ((used_ + 1) * 4 > slots_.size() * 3) grow(std::max(least_slots, slots_.size() * 2));
    Slot& slot = slots_[slot_of(hash, equals)];
    if (slot.number != none) return {slot.number, false};
    slot = {hash, number};
    ++used_;
    return {number, true};
  }

  // Of several questions, each may be told here before the first is asked: memory is slow.
  void prefetch(std::uint32_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  }

  std::size_t size() const { return used_; }

 private:
  static constexpr std::size_t least_slots = 16;

  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t number = none;
  };

  // Where it is, or the free slot where it belongs: there always is one.
  template <typename Equals>
  std::size_t slot_of(std::uint32_t hash, const Equals& equals) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
      const Slot& slot = slots_[i];
      if (slot.number == none || (slot.hash == hash && equals(slot.number))) return i;
    }
  }

  void grow(std::size_t slots) {
    std::vector<Slot> bigger(slots);
    const std::size_t mask = slots - 1;
    for (const Slot& slot : slots_) {
      if (slot.number == none) continue;
      std::size_t i = slot.hash & mask;
      while (bigger[i].number != none) i = (i + 1) & mask;
      bigger[i] = slot;
    }
    slots_ = std::move(bigger);
  }

  std::vector<Slot> slots_;  // a power of two
  std::size_t used_ = 0;
};

}  // namespace postern::policy
