// BDAT: chunks of counted octets instead of dot-stuffed lines (RFC 3030).
#pragma once

#include <postern/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace postern::smtp {

struct Bdat {
  std::uint64_t octets = 0;
  bool last = false;
};

// The argument of BDAT: "1000" or "1000 LAST". Digits only, no sign.
// Errors: malformed; too_long (above limits::chunk_octets: its octets will not be waited for,
// close). Source: RFC 3030 section 2.
Result<Bdat> parse_bdat(std::string_view argument);

// How much of what arrives still belongs to the chunk. Its octets are taken even when the command
// was refused: they are not commands (RFC 3030 section 4.2).
class ChunkCounter {
 public:
  ChunkCounter() = default;
  explicit ChunkCounter(const Bdat& bdat) : left_(bdat.octets) {}
  // For what has another end than its count.
  static ChunkCounter endless() { return ChunkCounter({~std::uint64_t{0}, false}); }

  // The first octets of `input` that belong to the chunk, counted off.
  std::string_view take(std::string_view input) {
    const std::string_view part =
        input.substr(0, left_ < input.size() ? static_cast<std::size_t>(left_) : input.size());
    left_ -= part.size();
    return part;
  }
  std::uint64_t left() const { return left_; }
  bool complete() const { return left_ == 0; }

 private:
  std::uint64_t left_ = 0;
};

}  // namespace postern::smtp
