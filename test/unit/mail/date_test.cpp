#include <postern/mail/date.hpp>

#include "catch.hpp"

using namespace std::chrono_literals;

TEST_CASE("append_date: writes RFC 5322 dates in UTC", "[mail][date]") {
  struct Row {
    std::chrono::seconds since;
    const char* text;
  };
  const auto row = GENERATE(values<Row>({
      {0s, "Thu, 01 Jan 1970 00:00:00 +0000"},
      {-1s, "Wed, 31 Dec 1969 23:59:59 +0000"},
      {951'827'696s, "Tue, 29 Feb 2000 12:34:56 +0000"},
      {1'795'259'731s, "Sat, 21 Nov 2026 11:15:31 +0000"},
      {4'102'444'799s, "Thu, 31 Dec 2099 23:59:59 +0000"},
  }));
  std::string out;
  postern::mail::append_date(out, std::chrono::system_clock::time_point(row.since) + 999ms);
  CHECK(out == row.text);
}
