// Durations and sizes as people write them: a whole number and its unit.
#pragma once

#include <postern/base/chrono.hpp>
#include <postern/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::policy {

// A number of octets, in the type so that it is not taken for another count.
struct ByteCount {
  std::size_t octets = 0;
  constexpr operator std::size_t() const { return octets; }
};

constexpr ByteCount kilobytes(std::size_t n) { return {n * 1000}; }
constexpr ByteCount megabytes(std::size_t n) { return {n * 1000 * 1000}; }

// "500ms", "300s", "5m", "1h", "7d"; the unit may stand after a blank.
// Errors: malformed; the text names the mistake and an example. `usual_unit` is the one to propose
// where none was written.
Result<std::chrono::milliseconds> parse_duration(std::string_view text,
                                                 std::string_view usual_unit = "s");

// "512B", "64KB", "50MB", "2GB" count in thousands; "64KiB", "50MiB", "2GiB" in 1,024s (IEC
// 80000-13). Letters in either case. Errors as above.
Result<ByteCount> parse_size(std::string_view text, std::string_view usual_unit = "MB");

// The shortest exact form with one unit: 300 s is "5m", 262,144 octets are "256KiB".
std::string text(std::chrono::milliseconds duration);
std::string text(ByteCount size);

// "MB" of "50MB": what stands after the number.
std::string_view unit_of(std::string_view quantity);

}  // namespace postern::policy
