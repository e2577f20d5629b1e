#include "assignment.hpp"

#include <catch.hpp>

namespace postern::daemon {
namespace {

constexpr auto here = Presence::serving;
constexpr auto short_gap = Presence::blinking;
constexpr auto gone = Presence::away;

TEST_CASE("assign: gives every column to the slots it belongs to", "[daemon][assignment]") {
  struct Row {
    const char* why;
    std::size_t columns;
    std::vector<Presence> slots;
    Columns expected;
  };
  const auto row = GENERATE(values<Row>({
      {"one each", 3, {here, here, here}, {{0}, {1}, {2}}},
      {"fewer workers after a reload", 3, {here, here}, {{0}, {1}, {0}}},
      {"more workers after a reload", 2, {here, here, here}, {{0, 2}, {1}}},
      {"more workers, one of two is away", 2, {gone, here, here}, {{2}, {1}}},
      {"a short absence is waited for", 2, {here, short_gap}, {{0}, {}}},
      {"a longer one is filled", 2, {here, gone}, {{0}, {0}}},
      {"by whoever has least", 4, {here, gone, gone, here}, {{0}, {0}, {3}, {3}}},
      {"nobody is there", 2, {gone, gone}, {{}, {}}},
      {"nobody at all", 2, {}, {{}, {}}},
  }));
  CAPTURE(row.why);
  CHECK(assign(row.columns, row.slots, {}) == row.expected);
}

TEST_CASE("assign: who stands in goes on until the owner is back", "[daemon][assignment]") {
  const std::vector<Presence> one_away{here, here, gone};
  const Columns before{{0}, {1}, {1}};
  CHECK(assign(3, one_away, before) == before);  // though slot 0 has as few
  CHECK(assign(3, {here, gone, gone}, before) == Columns{{0}, {0}, {0}});
  CHECK(assign(3, {here, here, here}, before) == Columns{{0}, {1}, {2}});
}

}  // namespace
}  // namespace postern::daemon
