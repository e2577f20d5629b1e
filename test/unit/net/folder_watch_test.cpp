#include <postern/net/folder_watch.hpp>

#include <chrono>
#include <filesystem>
#include <set>
#include <string>

#include "../policy/temporary_folder.hpp"
#include "catch.hpp"

using namespace postern;
using namespace std::chrono_literals;

namespace {

struct Ear final : net::FolderListener {
  explicit Ear(net::Loop& owner) : loop(owner) {}
  void folder_changed(std::string_view name) override {
    heard.insert(std::string(name));
    loop.stop();
  }
  net::Loop& loop;
  std::set<std::string> heard;
};

struct Patience final : coro::Timer {
  explicit Patience(net::Loop& owner) : loop(owner) {}
  void fire() override { loop.stop(); }
  net::Loop& loop;
};

// Whether a change of that file is heard, within a minute.
template <typename Change>
bool hears(net::Loop& loop, Ear& ear, const std::string& name, const Change& change) {
  ear.heard.clear();
  change();
  Patience patience(loop);
  loop.arm(patience, loop.now() + 60s);
  while (patience.armed() && !ear.heard.contains(name)) loop.run();
  loop.disarm(patience);
  return ear.heard.contains(name);
}

}  // namespace

TEST_CASE("FolderWatch: hears of files that are made, written to, renamed and removed", "[net]") {
  const policy::TemporaryFolder folder;
  net::Loop loop;
  Ear ear(loop);
  auto watch = net::FolderWatch::open(loop, folder.path(""), ear);
  REQUIRE(watch);
  CHECK(hears(loop, ear, "a", [&] { folder.write("a", "one"); }));
  CHECK(hears(loop, ear, "a", [&] { folder.write("a", "two"); }));
  CHECK(
      hears(loop, ear, "b", [&] { std::filesystem::rename(folder.path("a"), folder.path("b")); }));
  CHECK(hears(loop, ear, "b", [&] { std::filesystem::remove(folder.path("b")); }));
}

TEST_CASE("FolderWatch: a folder that is not there is an error", "[net]") {
  const policy::TemporaryFolder folder;
  net::Loop loop;
  Ear ear(loop);
  const auto watch = net::FolderWatch::open(loop, folder.path("none"), ear);
  REQUIRE_FALSE(watch);
  CHECK(watch.error().code == Errc::not_found);
}
