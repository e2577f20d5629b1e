// Durations, points in time and clocks, for headers. In C++20 libstdc++'s <chrono> brings <sstream>
// with it, a tenth of what <postern/plugin.hpp> may cost; the part of it that is used here does
// not.
#pragma once

#include <cstddef>

#if defined(__GLIBCXX__) && __has_include(<bits/chrono.h>)
#include <bits/chrono.h>
#else
#include <chrono>
#endif
