#include <postern/testing/memory_files.hpp>

#include "catch.hpp"

using namespace postern;
using namespace postern::coro;
using namespace postern::testing;

namespace {

// As a Maildir is written (maildir(5)); `synced` says how far it gets with its promises.
enum class Synced { nothing, file, all };

Task<Result<void>> deliver(net::Files& files, std::string content, Synced synced) {
  auto file = co_await files.create("/mail/tmp/1");
  if (!file) co_return fail(file.error());
  auto written = co_await (*file)->write(std::move(content));
  if (!written) co_return written;
  if (synced != Synced::nothing) {
    auto durable = co_await (*file)->sync();
    if (!durable) co_return durable;
  }
  auto renamed = co_await files.rename("/mail/tmp/1", "/mail/new/1");
  if (!renamed) co_return renamed;
  if (synced != Synced::all) co_return Result<void>();
  auto durable = co_await files.sync_directory("/mail/new");
  co_return durable;
}

void add_maildir(MemoryFiles& files) {
  files.add_directory("/mail/tmp");
  files.add_directory("/mail/new");
}

}  // namespace

TEST_CASE("MemoryFiles: a power loss leaves what was made durable", "[testing][files]") {
  SimScheduler sim;
  MemoryFiles files(sim);
  add_maildir(files);
  const auto synced = GENERATE(Synced::nothing, Synced::file, Synced::all);
  REQUIRE(sim.run(deliver(files, "content", synced)));
  CHECK(files.tree() == Tree{{"/mail/new/1", "content"}});
  if (synced == Synced::all)
    CHECK(files.crash() == Tree{{"/mail/new/1", "content"}});
  else
    CHECK(files.crash().empty());
}

TEST_CASE("MemoryFiles: a power loss may leave more than was promised, or a part",
          "[testing][files]") {
  SimScheduler sim;
  MemoryFiles files(sim);
  add_maildir(files);
  REQUIRE(sim.run(deliver(files, "content", Synced::nothing)));
  bool gone = false;
  bool cut = false;
  bool whole = false;
  Random dice(1);
  for (int i = 0; i < 200; ++i) {
    const Tree left = files.crash(dice);
    const auto found = left.find("/mail/new/1");
    if (found == left.end())
      gone = true;
    else if (found->second == "content")
      whole = true;
    else
      cut = std::string("content").rfind(found->second, 0) == 0;
  }
  CHECK(gone);
  CHECK(cut);
  CHECK(whole);

  MemoryFiles durable(sim);
  add_maildir(durable);
  REQUIRE(sim.run(deliver(durable, "content", Synced::all)));
  for (int i = 0; i < 200; ++i) CHECK(durable.crash(dice).at("/mail/new/1") == "content");
}

TEST_CASE("MemoryFiles: any operation can fail", "[testing][files]") {
  const std::uint64_t n = GENERATE(1u, 2u, 3u, 4u, 5u, 6u);
  SimScheduler sim;
  MemoryFiles files(sim);
  add_maildir(files);
  files.fail_at(n, Errc::no_space);
  const auto delivered = sim.run(deliver(files, "content", Synced::all));
  CAPTURE(n);
  CHECK(delivered.has_value() == (n == 6));  // there are five
  CHECK(files.operations().size() == std::min<std::uint64_t>(n, 5));
  if (!delivered) CHECK(delivered.error().code == Errc::no_space);
  if (n == 2) CHECK(files.tree().at("/mail/tmp/1") == "con");  // half of it
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("MemoryFiles: a full disk stays full, but files can be removed", "[testing][files]") {
  SimScheduler sim;
  MemoryFiles files(sim);
  add_maildir(files);
  files.fail_from(2, Errc::no_space);
  CHECK_FALSE(sim.run(deliver(files, "content", Synced::all)));
  CHECK(sim.run(files.remove("/mail/tmp/1")));
  CHECK_FALSE(sim.run(deliver(files, "content", Synced::all)));
}
