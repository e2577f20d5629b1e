#include <postern/policy/quantity.hpp>

#include "catch.hpp"

namespace postern::policy {

using namespace std::chrono_literals;

TEST_CASE("parse_duration: reads a whole number with its unit", "[policy][quantity]") {
  struct Row {
    std::string text;
    std::chrono::milliseconds expected;
  };
  const auto row = GENERATE(values<Row>({{"500ms", 500ms},
                                         {"300s", 300s},
                                         {"5m", 5min},
                                         {"1h", 1h},
                                         {"7d", 168h},
                                         {"0s", 0s},
                                         {"10 S", 10s}}));
  CAPTURE(row.text);
  const auto parsed = parse_duration(row.text);
  REQUIRE(parsed);
  CHECK(*parsed == row.expected);
}

TEST_CASE("parse_size: counts KB in thousands and KiB in 1,024s", "[policy][quantity]") {
  struct Row {
    std::string text;
    std::size_t expected;
  };
  const auto row = GENERATE(values<Row>({{"512B", 512},
                                         {"64KB", 64'000},
                                         {"64KiB", 65'536},
                                         {"50MB", 50'000'000},
                                         {"50MiB", 52'428'800},
                                         {"2GB", 2'000'000'000},
                                         {"2GiB", std::size_t{2} << 30},
                                         {"1 mb", 1'000'000}}));
  CAPTURE(row.text);
  const auto parsed = parse_size(row.text);
  REQUIRE(parsed);
  CHECK(parsed->octets == row.expected);
}

TEST_CASE("parse_size and parse_duration: say what is wrong and what would be right",
          "[policy][quantity]") {
  CHECK(parse_size("50").error().text == "'50' needs a unit, for example \"50MB\"");
  CHECK(parse_duration("300").error().text == "'300' needs a unit, for example \"300s\"");
  CHECK(parse_duration("300", "ms").error().text == "'300' needs a unit, for example \"300ms\"");
  CHECK(parse_size("50PB").error().text ==
        "'50PB': no such unit as 'PB'; units are B, KB, KiB, MB, MiB, GB and GiB");
  CHECK(parse_duration("5min").error().text ==
        "'5min': no such unit as 'min'; units are ms, s, m, h and d");
  CHECK(parse_duration("1.5h").error().text ==
        "'1.5h' is not a whole number with a unit, for example \"10s\"");
  CHECK(parse_duration("1h30m").error().text ==
        "'1h30m' is not a whole number with a unit, for example \"10s\"");
  CHECK(parse_size("").error().text ==
        "'' is not a whole number with a unit, for example \"10MB\"");
  CHECK(parse_size("-1MB").error().text ==
        "'-1MB' is not a whole number with a unit, for example \"10MB\"");
  CHECK(parse_size("99999999999999GB").error().text == "'99999999999999GB' is too large");
}

TEST_CASE("text: gives the shortest exact form, which reads back the same", "[policy][quantity]") {
  CHECK(text(300s) == "5m");
  CHECK(text(60s) == "1m");
  CHECK(text(90s) == "90s");
  CHECK(text(1500ms) == "1500ms");
  CHECK(text(0ms) == "0s");
  CHECK(text(ByteCount{50'000'000}) == "50MB");
  CHECK(text(ByteCount{262'144}) == "256KiB");
  CHECK(text(ByteCount{1001}) == "1001B");
  CHECK(text(ByteCount{0}) == "0B");
  const auto octets = GENERATE(as<std::size_t>(), 1, 999, 1000, 1024, 65536, 1'000'000, 1 << 30);
  CHECK(parse_size(text(ByteCount{octets}))->octets == octets);
}

}  // namespace postern::policy
