// The suite `psl`: the list's own checks, against the list that they belong to.
#include <postern/verify/public_suffix.hpp>

#include <string>

#include "catch.hpp"
#include "suite_file.hpp"

using namespace postern;
using namespace postern::verify;

namespace {

// What stands between the quotes at `at`, which moves behind them; "" for null.
std::string argument(std::string_view line, std::size_t& at) {
  const auto open = line.find('\'', at);
  const auto null = line.find("null", at);
  if (null < open) {
    at = null + 4;
    return {};
  }
  const auto close = line.find('\'', open + 1);
  REQUIRE(close != line.npos);
  at = close + 1;
  return std::string(line.substr(open + 1, close - open - 1));
}

}  // namespace

TEST_CASE("psl: the organisational domains of the list's own checks", "[suites][psl]") {
  const auto checks = suites::suite_file("psl/test_psl.txt");
  const auto path = suites::suite_path("psl/public_suffix_list.dat");
  if (!checks || !path) return;
  const auto list = PublicSuffixList::load(*path);
  REQUIRE(list);
  int cases = 0;
  std::string_view rest = *checks;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (!line.starts_with("checkPublicSuffix(")) continue;
    ++cases;
    std::size_t at = line.find('(');
    const std::string name = argument(line, at);
    const std::string wanted = argument(line, at);
    CAPTURE(name);
    CHECK(list->organisational_domain(name) == wanted);
  }
  CHECK(cases == 78);
}
