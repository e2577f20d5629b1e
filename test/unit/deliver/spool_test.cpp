// A message's content in memory and beyond.
#include <postern/deliver/spool.hpp>
#include <postern/testing/memory_files.hpp>

#include <string>

#include "catch.hpp"

using namespace postern;
using deliver::Spool;

namespace {

coro::Task<Result<void>> fill(Spool& spool, std::string content, std::size_t piece) {
  for (std::size_t at = 0; at < content.size(); at += piece) {
    spool.tail() += content.substr(at, piece);
    if (!spool.must_settle()) continue;
    auto settled = co_await spool.settle();
    if (!settled) co_return settled;
  }
  co_return Result<void>();
}

coro::Task<Result<std::string>> read_all(Spool& spool, std::size_t most) {
  std::string out;
  while (true) {
    auto octets = co_await spool.read(out.size(), most);
    if (!octets) co_return octets;
    if (octets->empty()) co_return out;
    if (octets->size() > most) co_return fail(Errc::too_long);
    out += *octets;
  }
}

std::string some_content(std::size_t size) {
  std::string out;
  while (out.size() < size) out += std::to_string(out.size()) + " ";
  out.resize(size);
  return out;
}

}  // namespace

TEST_CASE("Spool: gives back what was put in, in memory and in a file", "[deliver][spool]") {
  const std::size_t size = GENERATE(0u, 1u, 999u, 1000u, 1001u, 70'000u, 200'001u);
  const std::size_t piece = GENERATE(1000u, 65'536u);
  const std::size_t most = GENERATE(777u, 1'000'000u);
  CAPTURE(size, piece, most);
  testing::SimScheduler sim;
  testing::MemoryFiles files(sim);
  files.add_directory("/spool");
  {
    Spool spool(files, "/spool", 1000);
    const std::string content = some_content(size);
    REQUIRE(sim.run(fill(spool, content, piece)));
    CHECK(spool.in_memory() == (size <= 1000));
    CHECK(spool.size() == size);
    const auto read = sim.run(read_all(spool, most));
    REQUIRE(read);
    CHECK(*read == content);
    // One read is as long as was asked for, wherever the octets are.
    const auto head = sim.run(spool.read(0, most));
    REQUIRE(head);
    CHECK(head->size() == std::min(most, size));
  }
  CHECK(files.tree().empty());
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Spool: says why it could not keep it", "[deliver][spool]") {
  testing::SimScheduler sim;
  testing::MemoryFiles files(sim);
  Spool spool(files, "/spool", 10);
  SECTION("no folder") {
    CHECK(sim.run(fill(spool, "more than ten", 100)).error().code == Errc::not_found);
  }
  SECTION("no space") {
    files.add_directory("/spool");
    files.fail_from(2, Errc::no_space);
    CHECK(sim.run(fill(spool, "more than ten", 100)).error().code == Errc::no_space);
  }
  CHECK(sim.live_tasks() == 0);
}
