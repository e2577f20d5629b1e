// What is LMDB's own: the file, what is wrong with it, room, and a writer that cannot write.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "processes.hpp"
#include "worlds.hpp"

using namespace postern;
using namespace postern::store;

namespace {

namespace fs = std::filesystem;

std::string value(LoopWorld& world, std::string_view key) {
  const auto found = State(*world.store, "test").get(key);
  if (!found) return std::string(name(found.error().code));
  return found->value_or("-");
}

Update put(std::string content, milliseconds lifetime) {
  Update made;
  made.value = std::move(content);
  made.lifetime = lifetime;
  return made;
}

std::size_t files_aside(const std::string& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().find(".aside-") != std::string::npos) ++count;
  return count;
}

void verify(const std::string& folder) {
  std::vector<std::string> notes;
  const auto file = LmdbFile::open({folder, 16'000'000, false}, notes);
  REQUIRE(file.has_value());
  CHECK(notes.empty());
  const auto sound = LmdbReader(*file).verify();
  if (!sound) FAIL_CHECK(sound.error().describe());
}

}  // namespace

TEST_CASE("LmdbStore: what was handed over is there after a restart", "[store][lmdb]") {
  const policy::TemporaryFolder folder;
  LoopWorld world({folder.path("state")});
  CHECK(State(*world.store, "test").put("a", "one", 1h).has_value());
  world.restart();
  CHECK(value(world, "a") == "one");
  CHECK(world.log.lines.empty());
  CHECK((fs::status(folder.path("state/state.mdb")).permissions() & fs::perms(077)) ==
        fs::perms::none);
}

TEST_CASE("LmdbStore: a file that is none of ours is put aside", "[store][lmdb]") {
  const policy::TemporaryFolder folder;
  const std::string what = GENERATE("text", "too short", "in use when the system went down");
  CAPTURE(what);
  const std::string path = folder.path("state/state.mdb");
  {
    LoopWorld world({folder.path("state")});
    for (int i = 0; i < 1000; ++i)
      CHECK(State(*world.store, "test").put(std::to_string(i), "old", 1h).has_value());
  }
  if (what == "text") folder.write("state/state.mdb", std::string(100'000, 'x'));
  if (what == "too short") fs::resize_file(path, fs::file_size(path) / 4096 / 2 * 4096);
  if (what.starts_with("in use")) folder.write("state/running", "another boot\n");
  LoopWorld world({folder.path("state")});
  CHECK(value(world, "1") == "-");
  CHECK(world.log.told("put aside"));
  CHECK(files_aside(folder.path("state")) >= 1);
  CHECK(State(*world.store, "test").put("1", "new", 1h).has_value());
  world.flush();
  CHECK(value(world, "1") == "new");
  CHECK(world.store->state().usable);
}

TEST_CASE("LmdbStore: after a clean end the next boot finds all", "[store][lmdb]") {
  const policy::TemporaryFolder folder;
  {
    LoopWorld world({folder.path("state")});
    CHECK(fs::exists(folder.path("state/running")));
    CHECK(State(*world.store, "test").put("a", "one", 1h).has_value());
  }
  CHECK_FALSE(fs::exists(folder.path("state/running")));
}

TEST_CASE("LmdbStore: where it cannot be opened, everything is an error, and it is told",
          "[store][lmdb]") {
  const policy::TemporaryFolder folder;
  folder.write("state", "no folder");
  LoopWorld world({folder.path("state")});
  CHECK(world.log.lines.size() == 1);
  State state(*world.store, "test");
  CHECK_FALSE(state.get("a").has_value());
  CHECK_FALSE(state.put("a", "one", 1h).has_value());
  CHECK_FALSE(state.scan("", 10).has_value());
  CHECK_FALSE(world.run(state.hold("a", 1)).has_value());
  CHECK_FALSE(world.store->state().usable);
  CHECK(world.store->state().problem != "");
}

TEST_CASE("LmdbStore: a file that is moved away is left for the new one", "[store][lmdb]") {
  const policy::TemporaryFolder folder;
  LoopWorld world({folder.path("state")});
  State state(*world.store, "test");
  CHECK(state.put("a", "one", 1h).has_value());
  world.flush();
  fs::rename(folder.path("state/state.mdb"), folder.path("state/old"));
  fs::rename(folder.path("state/state.mdb-lock"), folder.path("state/old-lock"));
  until([&] {
    world.flush_if_possible();
    return fs::exists(folder.path("state/state.mdb")) && value(world, "a") == "-";
  });
  CHECK(state.put("a", "two", 1h).has_value());
  CHECK(value(world, "a") == "two");
  world.flush();
  CHECK(world.log.told("moved away"));
  CHECK(world.log.told("works again"));
}

TEST_CASE("LmdbStore: what has expired is removed without being asked for", "[store][lmdb]") {
  const policy::TemporaryFolder folder;
  {
    LoopWorld world({folder.path("state")});
    State state(*world.store, "test");
    for (int i = 0; i < 500; ++i) {
      CHECK(state.put("short " + std::to_string(i), "v", 10s).has_value());
      CHECK(state.put("long " + std::to_string(i), "v", 1h).has_value());
    }
    for (int i = 0; i < 100; ++i) CHECK(state.put("short " + std::to_string(i), "v", 1h));
    world.flush();
    world.clock.advance(12s);
    until([&] { return world.store->state().entries == 600; });
    CHECK(world.store->state().expired == 400);
    CHECK(value(world, "short 99") == "v");
    CHECK(value(world, "short 100") == "-");
  }
  verify(folder.path("state"));
}

TEST_CASE("LmdbStore: when it is full, those go that would have expired first", "[store][lmdb]") {
  const policy::TemporaryFolder folder;
  const std::string content(200, 'v');
  {
    LoopWorld world({folder.path("state"), 2'000'000, true});
    State state(*world.store, "test");
    CHECK(state.put("for ever", content, 10'000h).has_value());
    for (int i = 0; i < 20'000; ++i) {
      const auto put = state.put("key " + std::to_string(i * 7919 % 20'000), content, 1h);
      if (!put) FAIL(i << ": " << put.error().describe());
      if (i % 1000 == 999) world.flush();
      if (i % 50 == 0) world.clock.advance(100ms);
    }
    world.flush();
    const StoreState now = world.store->state();
    CHECK(now.usable);
    CHECK(now.failed == 0);
    CHECK(now.evicted > 10'000);
    CHECK(value(world, "for ever") == content);
    CHECK(value(world, "key " + std::to_string(19'999 * 7919 % 20'000)) == content);
    CHECK(value(world, "key 0") == "-");
    CHECK(fs::file_size(folder.path("state/state.mdb")) <= 2'000'000);
  }
  verify(folder.path("state"));
}

TEST_CASE("LmdbStore: a full disk is an error, and all is well when there is room again",
          "[store][lmdb]") {
  const policy::TemporaryFolder folder;
  std::signal(SIGXFSZ, SIG_IGN);
  LoopWorld world({folder.path("state")});
  State state(*world.store, "test");
  CHECK(state.put("early", "v", 1h).has_value());
  world.flush();
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = before;
  full.rlim_cur = fs::file_size(folder.path("state/state.mdb"));
  setrlimit(RLIMIT_FSIZE, &full);
  const std::string content(60'000, 'v');
  for (int i = 0; i < 20; ++i) {
    const auto outcome = world.run(world.store->settle("k" + std::to_string(i), put(content, 1h)));
    if (outcome) continue;
    CHECK(outcome.error().code == Errc::no_space);
    CHECK_FALSE(world.store->state().usable);
    CHECK_FALSE(state.put("other", "v", 1h).has_value());  // on_error's case
    CHECK(value(world, "early") == "v");
  }
  CHECK(world.store->state().failed > 0);
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK(world.run(world.store->settle("late", put(content, 1h))).has_value());
  CHECK(world.store->state().usable);
  CHECK(state.put("other", "v", 1h).has_value());
  world.run(sleep_a_turn());
  CHECK(world.log.told("no_space"));
  CHECK(world.log.told("works again"));
  world.stop();
  verify(folder.path("state"));
}

TEST_CASE("LmdbStore: the loop does not wait while another process keeps the writers' lock",
          "[store][lmdb]") {
  const policy::TemporaryFolder folder;
  { const LoopWorld made({folder.path("state")}); }
  Child holder([&](Pipe& pipe) {
    std::vector<std::string> notes;
    const auto file = LmdbFile::open({folder.path("state")}, notes);
    LmdbTransaction transaction(**file);
    if (transaction.begin() != 0) return 1;
    pipe.say('h');
    pipe.hear();  // until the parent has done all it wanted
    transaction.abort();
    return 0;
  });
  REQUIRE(holder.pipe().hear() == 'h');
  LoopWorld world({folder.path("state")});
  State state(*world.store, "test");
  // Were any of these to wait for the writer, it would wait for ever.
  for (int i = 0; i < 1000; ++i) {
    CHECK(state.put(std::to_string(i), "v", 1h).has_value());
    CHECK(value(world, std::to_string(i)) == "v");
    CHECK(state.count("c", 80s) == static_cast<std::uint64_t>(i + 1));
  }
  CHECK(state.scan("", 10)->size() == 10);
  CHECK(world.store->state().queued <= 2000);
  std::size_t taken = 2000;
  while (state.put("more", "v", 1h)) ++taken;
  CHECK(taken <= 2 * LmdbWriter::most_queued);
  CHECK(state.put("more", "v", 1h).error().code == Errc::busy);
  holder.pipe().say('g');
  CHECK(holder.status() == 0);
  until([&] { return world.store->state().queued == 0; });
  world.flush();
  CHECK(value(world, "999") == "v");
  CHECK(state.counted("c", 80s) == 1000u);
}

TEST_CASE("LmdbStore: who is stopped has changed it even so, but keeps no place", "[store][lmdb]") {
  const policy::TemporaryFolder folder;
  LoopWorld world({folder.path("state")});
  State state(*world.store, "test");
  {
    coro::Outcome<Result<Place>> place;
    coro::Outcome<Result<bool>> set;
    coro::Scope scope(world.loop, "stopped");
    scope.start(coro::keep(state.hold("p", 1), place));
    scope.start(coro::keep(state.compare_and_set("k", {}, "v", 1h), set));
    scope.stop(Errc::cancelled);
    world.run(coro::join(scope));
    CHECK(place.is(Errc::cancelled));
    CHECK(set.is(Errc::cancelled));
  }
  world.flush();
  CHECK(value(world, "k") == "v");
  world.run(sleep_a_turn());
  const auto again = world.run(state.hold("p", 1));
  REQUIRE(again.has_value());
  CHECK(static_cast<bool>(*again));
}
