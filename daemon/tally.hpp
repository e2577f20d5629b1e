// The counters of all workers, in one file in memory that each of them shares.
//
// Its head names the columns, so that whoever maps it can read it, whatever executable wrote it. A
// row belongs to one worker at a time, which alone writes to it; row 0 is the master's, and has
// what the workers counted that are gone: sums never fall.
#pragma once

#include <postern/base/counters.hpp>
#include <postern/base/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace postern::daemon {

class Tally {
 public:
  static constexpr std::size_t rows = 4096;  // living workers of all generations, at most

  // The master's. Nobody can change its size from now on. Errors: the system's.
  static Result<Tally> create();
  // A worker's, of the descriptor it inherited, which is closed. Errors: malformed; the system's.
  static Result<Tally> open(int descriptor);
  Tally(Tally&& other) noexcept;
  Tally& operator=(Tally&&) = delete;
  ~Tally();

  int descriptor() const { return descriptor_; }  // the master's; -1 in a worker

  // Of the master: a row for a worker, and its end.
  std::optional<std::size_t> claim();
  void fold(std::size_t row);

  Counters& at(std::size_t row);  // rows there are; a worker asks for its own
  // Consistent, also while a row is being folded.
  std::array<std::uint64_t, counts> totals() const;

 private:
  struct Layout;
  Tally(Layout* layout, int descriptor) : layout_(layout), descriptor_(descriptor) {}

  Layout* layout_;
  int descriptor_;
};

}  // namespace postern::daemon
