// Wall-clock time as text, in UTC, without locale or time zone files.
#pragma once

#include <chrono>
#include <string>

namespace postern {

// Appends "2026-11-21T11:15:31.123456Z": RFC 3339, microseconds, always 27 octets. Years outside
// 0 to 9999, which RFC 3339 does not have, are written as the nearest it has.
void append_timestamp(std::string& out, std::chrono::system_clock::time_point when);

}  // namespace postern
