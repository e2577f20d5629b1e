// Dates of the Date and Received fields (RFC 5322 section 3.3).
#pragma once

#include <postern/base/chrono.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace postern::mail {

// Appends "Sat, 21 Nov 2026 11:15:31 +0000": always UTC, whole seconds, no locale.
void append_date(std::string& out, std::chrono::system_clock::time_point when);

struct Date {
  std::chrono::sys_seconds utc;
  std::chrono::minutes zone{0};  // east of Greenwich, as the field has it
  bool zone_known = false;       // false: "-0000", a letter, a word, or nothing (section 4.3)
};

// A date-time, obsolete forms included: years of two and three digits, comments anywhere, named
// zones, no seconds. The day of the week is not compared. Something behind it is ignored. Nothing
// when it is no date: a month is its English name, and a day must be one that the month has.
std::optional<Date> parse_date(std::string_view value);

}  // namespace postern::mail
