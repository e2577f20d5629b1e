// The dice of a simulation: the same seed gives the same run on every machine.
#pragma once

#include <chrono>
#include <cstdint>

namespace postern::testing {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  // splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  // 0 to limit - 1; the bias of the remainder does not matter here.
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  bool coin() { return (next() & 1) != 0; }

  using Duration = std::chrono::steady_clock::duration;
  Duration between(Duration least, Duration most) {
    const auto span = static_cast<std::uint64_t>((most - least).count()) + 1;
    return least + Duration(static_cast<Duration::rep>(below(span)));
  }

 private:
  std::uint64_t state_;
};

}  // namespace postern::testing
