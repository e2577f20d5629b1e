// What has changed in a folder, without reading it.
#include "file_stamps.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "../policy/temporary_folder.hpp"
#include "catch.hpp"

namespace postern::daemon {
namespace {

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("file stamps: files that came, went, or are others by now", "[daemon]") {
  const policy::TemporaryFolder folder;
  for (const char* name : {"a.toml", "b.toml", "c.toml", "note", ".hidden.toml"})
    folder.write(name, "x");
  const Stamps before = stamps_in(folder.path(""), ".toml").value();
  CHECK(differences({}, before) == Names{"a.toml", "b.toml", "c.toml"});
  CHECK(differences(before, stamps_in(folder.path(""), ".toml").value()).empty());
  folder.write("b.toml", "longer");
  std::filesystem::remove(folder.path("c.toml"));
  folder.write("d.toml", "x");
  CHECK(differences(before, stamps_in(folder.path(""), ".toml").value()) ==
        Names{"b.toml", "c.toml", "d.toml"});
}

TEST_CASE("file stamps: another file of the same size and time is another", "[daemon]") {
  const policy::TemporaryFolder folder;
  folder.write("a", "one");
  folder.write("b", "two");
  const auto time = std::filesystem::last_write_time(folder.path("a"));
  const Stamp before = stamp_of(folder.path("a"));
  std::filesystem::last_write_time(folder.path("b"), time);
  std::filesystem::rename(folder.path("b"), folder.path("a"));
  CHECK(stamp_of(folder.path("a")) != before);
  CHECK_FALSE(stamp_of(folder.path("b")).is_there());
}

TEST_CASE("file stamps: a folder that is not there has no files, one that is no folder is an error",
          "[daemon]") {
  const policy::TemporaryFolder folder;
  folder.write("a", "one");
  CHECK(stamps_in(folder.path("none"), "").value().empty());
  CHECK_FALSE(stamps_in(folder.path("a"), "").has_value());
}

TEST_CASE("file stamps: one that is another from now on", "[daemon]") {
  const Stamp old{1, 1, 1}, fresh{2, 1, 1};
  Stamps stamps{{"b", old}, {"d", old}};
  CHECK_FALSE(replace(stamps, "b", old));
  CHECK_FALSE(replace(stamps, "c", Stamp{}));
  CHECK(replace(stamps, "a", fresh));
  CHECK(replace(stamps, "c", fresh));
  CHECK(replace(stamps, "d", fresh));
  CHECK(replace(stamps, "b", Stamp{}));
  CHECK(stamps == Stamps{{"a", fresh}, {"c", fresh}, {"d", fresh}});
}

TEST_CASE("file stamps: of paths, each once and sorted", "[daemon]") {
  const policy::TemporaryFolder folder;
  folder.write("a", "one");
  const Stamps stamps = stamps_of({folder.path("b"), folder.path("a"), folder.path("b")});
  REQUIRE(stamps.size() == 2);
  CHECK(stamps[0].first == folder.path("a"));
  CHECK(stamps[0].second.is_there());
  CHECK_FALSE(stamps[1].second.is_there());
}

}  // namespace postern::daemon
