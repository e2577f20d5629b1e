#include <postern/mail/date.hpp>

#include <string_view>

namespace postern::mail {
namespace {

constexpr std::string_view weekdays = "SunMonTueWedThuFriSat";
constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";

// `digits` decimal digits of `value`, which has no more.
void put(char* at, unsigned value, int digits) {
  for (int place = digits - 1; place >= 0; --place, value /= 10)
    at[place] = static_cast<char>('0' + value % 10);
}

}  // namespace

void append_date(std::string& out, std::chrono::system_clock::time_point when) {
  using namespace std::chrono;
  const auto day = floor<days>(when);
  const year_month_day date(day);
  const auto seconds = static_cast<unsigned>(floor<std::chrono::seconds>(when - day).count());
  char text[] = "DDD, dd MMM yyyy hh:mm:ss +0000";
  weekdays.copy(text, 3, weekday(day).c_encoding() * 3);
  put(text + 5, unsigned(date.day()), 2);
  months.copy(text + 8, 3, (unsigned(date.month()) - 1) * 3);
  put(text + 12, static_cast<unsigned>(int(date.year())), 4);
  put(text + 17, seconds / 3600, 2);
  put(text + 20, seconds / 60 % 60, 2);
  put(text + 23, seconds % 60, 2);
  out.append(text, sizeof text - 1);
}

}  // namespace postern::mail
