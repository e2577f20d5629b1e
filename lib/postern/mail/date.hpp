// Dates of the Date and Received fields (RFC 5322 section 3.3).
#pragma once

#include <chrono>
#include <string>

namespace postern::mail {

// Appends "Sat, 21 Nov 2026 11:15:31 +0000": always UTC, whole seconds, no locale.
void append_date(std::string& out, std::chrono::system_clock::time_point when);

}  // namespace postern::mail
