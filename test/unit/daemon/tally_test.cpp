#include "tally.hpp"

#include <catch.hpp>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

namespace postern::daemon {
namespace {

std::uint64_t total(const Tally& tally, Count count) {
  return tally.totals()[static_cast<std::size_t>(count)];
}

// As a worker opens it: the descriptor it has inherited.
Tally open_as_worker(const Tally& master) {
  auto opened = Tally::open(fcntl(master.descriptor(), F_DUPFD_CLOEXEC, 0));
  REQUIRE(opened);
  return std::move(*opened);
}

TEST_CASE("Tally: what a worker counts is in the master's sums at once", "[daemon][tally]") {
  auto master = Tally::create();
  REQUIRE(master);
  const auto row = master->claim();
  REQUIRE(row);
  Tally worker = open_as_worker(*master);
  worker.at(*row).add(Count::messages_accepted, 3);
  worker.at(*row).add(Count::message_octets, 1'000'000'000'000);
  CHECK(total(*master, Count::messages_accepted) == 3);
  CHECK(total(worker, Count::message_octets) == 1'000'000'000'000);
}

TEST_CASE("Tally: a sum does not fall when its worker has gone", "[daemon][tally]") {
  auto master = Tally::create();
  REQUIRE(master);
  for (int life = 1; life <= 5; ++life) {
    const auto row = master->claim();
    REQUIRE(row);
    CHECK(*row == 1);  // its place is free again
    master->at(*row).add(Count::sessions, 10);
    CHECK(total(*master, Count::sessions) == 10u * static_cast<unsigned>(life));
    master->fold(*row);
    CHECK(total(*master, Count::sessions) == 10u * static_cast<unsigned>(life));
    CHECK(master->at(1).get(Count::sessions) == 0);
  }
}

TEST_CASE("Tally: each worker has a row of its own, until there is none", "[daemon][tally]") {
  auto master = Tally::create();
  REQUIRE(master);
  for (std::size_t i = 1; i < Tally::rows; ++i) CHECK(master->claim() == i);
  CHECK_FALSE(master->claim());
  master->fold(7);
  CHECK(master->claim() == 7);
}

TEST_CASE("Tally: the file tells what its columns are, and keeps its size", "[daemon][tally]") {
  auto master = Tally::create();
  REQUIRE(master);
  std::string head(256, '\0');
  REQUIRE(pread(master->descriptor(), head.data(), head.size(), 0) ==
          static_cast<ssize_t>(head.size()));
  CHECK(head.starts_with("postern counters 1\n"));
  CHECK(head.find("sessions\nsessions_overload\n") != std::string::npos);
  CHECK(ftruncate(master->descriptor(), 0) != 0);
  CHECK(ftruncate(master->descriptor(), 1 << 30) != 0);
}

TEST_CASE("Tally: a worker refuses a file of another size", "[daemon][tally]") {
  const int file = memfd_create("other", MFD_CLOEXEC);
  REQUIRE(ftruncate(file, 4096) == 0);
  const auto opened = Tally::open(file);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Errc::malformed);
}

}  // namespace
}  // namespace postern::daemon
