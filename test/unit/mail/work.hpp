// Whether work grows with the size of its input and not with the square: by CPU time, which the
// load of the machine hardly moves.
#pragma once

#include <ctime>
#include <functional>
#include <string>
#include <string_view>

namespace postern::testing {

inline double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Runs `work` on 12,500 and 100,000 octets of `piece`, repeated: linear is 8 times, quadratic 64.
inline bool is_linear(std::string_view piece, const std::function<void(std::string_view)>& work) {
  const auto seconds = [&](std::size_t octets) {
    std::string input;
    while (input.size() < octets) input += piece;
    const double begin = cpu_seconds();
    work(input);
    return cpu_seconds() - begin;
  };
  for (int attempt = 0; attempt < 3; ++attempt) {
    const double few = seconds(12'500), many = seconds(100'000);
    if (many < 0.05 || many < 24 * few) return true;
  }
  return false;
}

}  // namespace postern::testing
