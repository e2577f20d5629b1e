#include <postern/base/text.hpp>
#include <postern/mail/date.hpp>
#include <postern/mail/lexer.hpp>

#include <chrono>
#include <cstdlib>
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

// RFC 5322 section 4.3; all other names are of zones that nobody knows.
struct Zone {
  std::string_view name;
  int hours;
};
constexpr Zone zones[] = {{"UT", 0},   {"GMT", 0},  {"UTC", 0},  {"Z", 0},
                          {"EDT", -4}, {"EST", -5}, {"CDT", -5}, {"CST", -6},
                          {"MDT", -6}, {"MST", -7}, {"PDT", -7}, {"PST", -8}};

std::optional<unsigned> month_named(std::string_view word) {
  for (unsigned month = 0; word.size() >= 3 && month < 12; ++month)
    if (iequals(word.substr(0, 3), months.substr(month * 3, 3))) return month + 1;
  return {};
}

// Two and three digits (RFC 5322 section 4.3).
std::optional<int> year_of(std::string_view word) {
  const auto year = to_number<unsigned>(word);
  if (!year || word.size() < 2 || *year > 9999) return {};
  if (word.size() == 2) return static_cast<int>(*year < 50 ? *year + 2000 : *year + 1900);
  return static_cast<int>(word.size() == 3 ? *year + 1900 : *year);
}

// "+hhmm" or a name.
void read_zone(std::string_view word, Date& date) {
  using std::chrono::hours, std::chrono::minutes;
  const bool numeric = word.size() >= 5 && (word[0] == '+' || word[0] == '-');
  if (numeric) {
    const auto number = to_number<int>(word.substr(1, 4));
    if (!number || *number % 100 > 59) return;
    date.zone = (hours(*number / 100) + minutes(*number % 100)) * (word[0] == '-' ? -1 : 1);
    date.zone_known = word[0] == '+' || *number != 0;
  }
  for (const Zone& zone : zones) {
    if (!iequals(word, zone.name)) continue;
    date.zone = hours(zone.hours);
    date.zone_known = true;
  }
}

// Words of a date: parted by blanks and comments, and by a comma or colon.
class Words {
 public:
  explicit Words(std::string_view value) : lexer_(value) {}
  std::string_view next() {
    lexer_.skip_cfws();
    return lexer_.word(",:;");
  }
  bool take(char c) {
    lexer_.skip_cfws();
    if (lexer_.peek() != c) return false;
    lexer_.skip(1);
    return true;
  }

 private:
  Lexer lexer_;
};

std::optional<unsigned> number_up_to(std::string_view word, unsigned most) {
  const auto number = to_number<unsigned>(word);
  return word.size() <= 2 && number && *number <= most ? number : std::nullopt;
}

}  // namespace

std::optional<Date> parse_date(std::string_view value) {
  using namespace std::chrono;
  Words words(value);
  std::string_view word = words.next();
  if (!word.empty() && is_alpha(word.front())) {  // the day of the week
    words.take(',');
    word = words.next();
  }
  const auto day = number_up_to(word, 31);
  const auto month = month_named(words.next());
  const auto year = year_of(words.next());
  const auto hour = number_up_to(words.next(), 23);
  if (!day || !month || !year || !hour || !words.take(':')) return {};
  const auto minute = number_up_to(words.next(), 59);
  const bool has_seconds = words.take(':');
  std::string_view second_word = has_seconds ? words.next() : "0";
  second_word = second_word.substr(0, second_word.find('.'));  // some write fractions
  const auto second = number_up_to(second_word, 60);
  const year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                            std::chrono::day(*day)};
  if (!minute || !second || !date.ok()) return {};
  Date result;
  read_zone(words.next(), result);
  result.utc = sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second) - result.zone;
  return result;
}

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
