#include <postern/smtp/bdat.hpp>

#include <string>

#include "catch.hpp"

using namespace postern;
using namespace postern::smtp;

TEST_CASE("parse_bdat: a count, and LAST or nothing", "[smtp][bdat]") {
  struct Row {
    const char* in;
    std::uint64_t octets;
    bool last;
  };
  const auto row = GENERATE(values<Row>({
      {"0", 0, false},
      {"0 LAST", 0, true},
      {"1000 last", 1000, true},
      {"0010", 10, false},
      {"2147483648", 2147483648u, false},
      {"4294967296  LAST ", 4294967296u, true},
      {"1099511627776", 1099511627776u, false},
  }));
  CAPTURE(row.in);
  const auto bdat = parse_bdat(row.in);
  REQUIRE(bdat);
  CHECK(bdat->octets == row.octets);
  CHECK(bdat->last == row.last);
}

TEST_CASE("parse_bdat: refuses what others took for a number", "[smtp][bdat]") {
  for (const char* wrong : {"", "LAST", "-1", "+5", "0x10", "1e3", "10LAST", "10 LASTX",
                            "10 LAST LAST", "10 20", " 10", "10,", "1 0", "10\tLAST"}) {
    CAPTURE(wrong);
    CHECK(parse_bdat(wrong).error().code == Errc::malformed);
  }
  for (const char* huge : {"1099511627777", "9223372036854775808", "18446744073709551616",
                           "99999999999999999999999999999999"}) {
    CAPTURE(huge);
    CHECK(parse_bdat(huge).error().code == Errc::too_long);
  }
}

TEST_CASE("ChunkCounter: takes the chunk and leaves the command behind it", "[smtp][bdat]") {
  const std::string wire = "0123456789BDAT 0 LAST\r\n";
  SECTION("whole") {
    ChunkCounter chunk(Bdat{10, false});
    CHECK_FALSE(chunk.complete());
    CHECK(chunk.take(wire) == "0123456789");
    CHECK(chunk.complete());
    CHECK(chunk.take(wire).empty());
  }
  SECTION("octet by octet") {
    ChunkCounter chunk(Bdat{10, false});
    std::string got;
    for (char c : wire) got += chunk.take({&c, 1});
    CHECK(got == "0123456789");
  }
  SECTION("empty") {
    ChunkCounter chunk(Bdat{0, true});
    CHECK(chunk.complete());
    CHECK(chunk.take(wire).empty());
  }
}
