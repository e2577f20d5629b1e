#include <postern/base/text.hpp>
#include <postern/smtp/bdat.hpp>
#include <postern/smtp/limits.hpp>

#include <algorithm>

namespace postern::smtp {

Result<Bdat> parse_bdat(std::string_view argument) {
  const auto blank = std::min(argument.find(' '), argument.size());
  const std::string_view size = argument.substr(0, blank), rest = trim(argument.substr(blank));
  if (size.empty() || !std::all_of(size.begin(), size.end(), is_digit))
    return fail(Errc::malformed, "chunk size");
  if (!rest.empty() && !iequals(rest, "LAST"))
    return fail(Errc::malformed, "text behind the chunk size");
  const auto octets = to_number<std::uint64_t>(size);
  if (!octets || *octets > limits::chunk_octets) return fail(Errc::too_long, "chunk size");
  return Bdat{*octets, !rest.empty()};
}

}  // namespace postern::smtp
