#include "cores.hpp"

#include <catch.hpp>

namespace postern::daemon {
namespace {

TEST_CASE("cores_of_quota: reads cpu.max of a cgroup", "[daemon][cores]") {
  CHECK(cores_of_quota("200000 100000\n") == 2);
  CHECK(cores_of_quota("150000 100000\n") == 2);
  CHECK(cores_of_quota("10000 100000\n") == 1);
  CHECK_FALSE(cores_of_quota("max 100000\n"));
  CHECK_FALSE(cores_of_quota(""));
  CHECK_FALSE(cores_of_quota("200000"));
  CHECK_FALSE(cores_of_quota("200000 0"));
}

TEST_CASE("usable_cores: there is always one", "[daemon][cores]") { CHECK(usable_cores() >= 1); }

}  // namespace
}  // namespace postern::daemon
