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

TEST_CASE("parse_date: reads what append_date writes", "[mail][date]") {
  for (const auto when : {0s, 951'827'696s, 1'795'259'731s, 4'102'444'799s}) {
    std::string text;
    postern::mail::append_date(text, std::chrono::system_clock::time_point(when));
    const auto date = postern::mail::parse_date(text);
    REQUIRE(date);
    CHECK(date->utc.time_since_epoch() == when);
    CHECK(date->zone_known);
  }
}

TEST_CASE("parse_date: refuses days, times and names that do not exist", "[mail][date]") {
  for (const char* wrong :
       {"", "Thu", "30 Feb 2020 00:00:00 +0000", "0 Jan 2020 00:00:00 +0000",
        "32 Jan 2020 00:00:00 +0000", "29 Feb 2021 00:00 +0000", "1 Jan 2020 24:00:00 +0000",
        "1 Jan 2020 00:60:00 +0000", "1 Jan 2020 00:00:61 +0000", "1 Foo 2020 00:00:00 +0000",
        "1 Jan 99999 00:00:00 +0000", "1 Jan 2020 000:00:00 +0000", "-1 Jan 2020 00:00:00 +0000",
        "1 Jan 2020"}) {
    CAPTURE(wrong);
    CHECK_FALSE(postern::mail::parse_date(wrong));
  }
}

TEST_CASE("parse_date: a zone that nobody knows is no zone", "[mail][date]") {
  for (const char* text : {"1 Jan 2020 00:00:00 -0000", "1 Jan 2020 00:00:00 XYZ",
                           "1 Jan 2020 00:00:00", "1 Jan 2020 00:00:00 +9999"}) {
    CAPTURE(text);
    const auto date = postern::mail::parse_date(text);
    REQUIRE(date);
    CHECK_FALSE(date->zone_known);
    CHECK(date->zone == 0min);
  }
}
