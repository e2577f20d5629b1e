#include <postern/base/text.hpp>
#include <postern/policy/quantity.hpp>

#include <fmt/format.h>

#include <array>
#include <limits>
#include <optional>
#include <span>

namespace postern::policy {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// The order is the one in which text() tries them: the largest first.
constexpr std::array<Unit, 5> duration_units{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<Unit, 7> size_units{{{"GiB", std::uint64_t{1} << 30},
                                          {"GB", 1'000'000'000},
                                          {"MiB", std::uint64_t{1} << 20},
                                          {"MB", 1'000'000},
                                          {"KiB", 1 << 10},
                                          {"KB", 1000},
                                          {"B", 1}}};

std::string names(std::span<const Unit> units) {
  std::string out;
  for (std::size_t i = units.size(); i-- > 0;) {
    out += units[i].name;
    if (i > 0) out += i == 1 ? " and " : ", ";
  }
  return out;
}

Result<std::uint64_t> parse(std::string_view text, std::span<const Unit> units,
                            std::string_view usual_unit) {
  const std::string_view unit = unit_of(text);
  const std::string_view digits = trim(text.substr(0, text.size() - unit.size()));
  const std::string shown = printable(text, 64);
  const auto number = to_number<std::uint64_t>(digits);
  if (!number)
    return fail(Errc::malformed,
                fmt::format("'{}' is not a whole number with a unit, for example \"10{}\"", shown,
                            usual_unit));
  if (unit.empty())
    return fail(Errc::malformed,
                fmt::format("'{}' needs a unit, for example \"{}{}\"", shown, digits, usual_unit));
  for (const Unit& known : units) {
    if (!iequals(known.name, unit)) continue;
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (*number > most / known.factor)
      return fail(Errc::malformed, fmt::format("'{}' is too large", shown));
    return *number * known.factor;
  }
  return fail(Errc::malformed, fmt::format("'{}': no such unit as '{}'; units are {}", shown,
                                           printable(unit, 16), names(units)));
}

std::string shortest(std::uint64_t value, std::span<const Unit> units) {
  std::string best;
  for (const Unit& unit : units) {
    if (value % unit.factor != 0) continue;
    std::string candidate = fmt::format("{}{}", value / unit.factor, unit.name);
    if (best.empty() || candidate.size() < best.size()) best = std::move(candidate);
  }
  return best;
}

}  // namespace

std::string_view unit_of(std::string_view quantity) {
  std::size_t at = quantity.size();
  while (at > 0 && is_alpha(quantity[at - 1])) --at;
  return quantity.substr(at);
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text,
                                                 std::string_view usual_unit) {
  const auto value = parse(text, duration_units, usual_unit);
  if (!value) return fail(value.error());
  return std::chrono::milliseconds(static_cast<std::int64_t>(*value));
}

Result<ByteCount> parse_size(std::string_view text, std::string_view usual_unit) {
  const auto value = parse(text, size_units, usual_unit);
  if (!value) return fail(value.error());
  return ByteCount{static_cast<std::size_t>(*value)};
}

std::string text(std::chrono::milliseconds duration) {
  if (duration.count() == 0) return "0s";
  return shortest(static_cast<std::uint64_t>(duration.count()), duration_units);
}

std::string text(ByteCount size) {
  if (size.octets == 0) return "0B";
  return shortest(size.octets, size_units);
}

}  // namespace postern::policy
