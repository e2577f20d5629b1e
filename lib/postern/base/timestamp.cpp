#include <postern/base/timestamp.hpp>

#include <algorithm>

namespace postern {
namespace {

// `digits` decimal digits of `value`, which has no more.
void put(char*& at, unsigned value, int digits) {
  for (int place = digits - 1; place >= 0; --place, value /= 10)
    at[place] = static_cast<char>('0' + value % 10);
  at += digits;
}

}  // namespace

void append_timestamp(std::string& out, std::chrono::system_clock::time_point when) {
  using namespace std::chrono;
  const auto day = floor<days>(when);
  const year_month_day date(day);
  const auto micros = static_cast<std::uint64_t>(floor<microseconds>(when - day).count());
  const auto seconds = static_cast<unsigned>(micros / 1'000'000);
  char text[27];
  char* at = text;
  put(at, static_cast<unsigned>(std::clamp(int(date.year()), 0, 9999)), 4);
  *at++ = '-';
  put(at, unsigned(date.month()), 2);
  *at++ = '-';
  put(at, unsigned(date.day()), 2);
  *at++ = 'T';
  put(at, seconds / 3600, 2);
  *at++ = ':';
  put(at, seconds / 60 % 60, 2);
  *at++ = ':';
  put(at, seconds % 60, 2);
  *at++ = '.';
  put(at, static_cast<unsigned>(micros % 1'000'000), 6);
  *at++ = 'Z';
  out.append(text, sizeof text);
}

}  // namespace postern
