#include <postern/base/timestamp.hpp>

#include "catch.hpp"

using namespace std::chrono_literals;

TEST_CASE("append_timestamp: writes RFC 3339 in UTC with microseconds", "[base][timestamp]") {
  struct Row {
    std::chrono::microseconds since;
    const char* text;
  };
  const auto row = GENERATE(values<Row>({
      {0us, "1970-01-01T00:00:00.000000Z"},
      {-1us, "1969-12-31T23:59:59.999999Z"},
      {951'827'696'000'000us, "2000-02-29T12:34:56.000000Z"},
      {1'795'259'731'123'456us, "2026-11-21T11:15:31.123456Z"},
      {9'223'372'036'854'775us, "2262-04-11T23:47:16.854775Z"},
  }));
  std::string out = "at ";
  postern::append_timestamp(out, std::chrono::system_clock::time_point(row.since));
  CHECK(out == std::string("at ") + row.text);
}
