#include <postern/net/folder_watch.hpp>

#include <chrono>
#include <filesystem>

#include "../policy/temporary_folder.hpp"
#include "catch.hpp"

using namespace postern;
using namespace std::chrono_literals;

namespace {

struct Ear final : net::FolderListener {
  explicit Ear(net::Loop& owner) : loop(owner) {}
  void folder_changed() override {
    ++heard;
    loop.stop();
  }
  net::Loop& loop;
  int heard = 0;
};

struct Patience final : coro::Timer {
  explicit Patience(net::Loop& owner) : loop(owner) {}
  void fire() override { loop.stop(); }
  net::Loop& loop;
};

// Whether the change is heard, within a minute.
template <typename Change>
bool hears(net::Loop& loop, Ear& ear, const Change& change) {
  ear.heard = 0;
  change();
  Patience patience(loop);
  loop.arm(patience, loop.now() + 60s);
  loop.run();
  loop.disarm(patience);
  return ear.heard > 0;
}

}  // namespace

TEST_CASE("FolderWatch: hears of files that are made, written to, renamed and removed", "[net]") {
  const policy::TemporaryFolder folder;
  net::Loop loop;
  Ear ear(loop);
  auto watch = net::FolderWatch::open(loop, folder.path(""), ear);
  REQUIRE(watch);
  CHECK(hears(loop, ear, [&] { folder.write("a", "one"); }));
  CHECK(hears(loop, ear, [&] { folder.write("a", "two"); }));
  CHECK(hears(loop, ear, [&] { std::filesystem::rename(folder.path("a"), folder.path("b")); }));
  CHECK(hears(loop, ear, [&] { std::filesystem::remove(folder.path("b")); }));
}

TEST_CASE("FolderWatch: a folder that is not there is an error", "[net]") {
  const policy::TemporaryFolder folder;
  net::Loop loop;
  Ear ear(loop);
  const auto watch = net::FolderWatch::open(loop, folder.path("none"), ear);
  REQUIRE_FALSE(watch);
  CHECK(watch.error().code == Errc::not_found);
}
