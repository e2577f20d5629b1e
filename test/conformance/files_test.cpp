#include <postern/coro/task.hpp>

#include <fmt/format.h>

#include "catch.hpp"
#include "fixture.hpp"

using namespace postern;
using namespace postern::coro;
using namespace postern::conformance;

namespace {

Task<Result<void>> write_file(net::Files& files, std::string path, std::string content) {
  auto file = co_await files.create(std::move(path));
  if (!file) co_return fail(file.error());
  auto written = co_await (*file)->write(std::move(content));
  if (!written) co_return written;
  auto synced = co_await (*file)->sync();
  co_return synced;
}

Task<Result<std::string>> write_unnamed(net::Files& files, std::string directory) {
  auto file = co_await files.create_unnamed(std::move(directory));
  if (!file) co_return fail(file.error());
  for (int i = 0; i < 3; ++i) {
    auto written = co_await (*file)->write("abcdefghij");
    if (!written) co_return fail(written.error());
  }
  std::string read;
  for (std::uint64_t offset = 0; offset <= 40; offset += 8) {
    auto piece = co_await (*file)->read(offset, 8);
    if (!piece) co_return fail(piece.error());
    read += *piece + "|";
  }
  co_return read;
}

bool is(const Result<void>& result, Errc code) { return !result && result.error().code == code; }

}  // namespace

TEST_CASE("Files: create makes a new file and nothing else", "[conformance][files]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  net::Files& files = fixture.files();
  const std::string path = fixture.directory() + "/one";
  CHECK(fixture.run(write_file(files, path, "first")));
  CHECK(is(fixture.run(write_file(files, path, "second")), Errc::exists));
  CHECK(
      is(fixture.run(write_file(files, fixture.directory() + "/none/one", "x")), Errc::not_found));
  CHECK(is(fixture.run(write_file(files, path + "/below-a-file", "x")), Errc::not_found));
}

TEST_CASE("Files: an unnamed file is read back at any offset", "[conformance][files]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  const auto read = fixture.run(write_unnamed(fixture.files(), fixture.directory()));
  REQUIRE(read);
  CHECK(*read == "abcdefgh|ijabcdef|ghijabcd|efghij|||");
  const auto none = fixture.run(write_unnamed(fixture.files(), fixture.directory() + "/none"));
  REQUIRE_FALSE(none);
  CHECK(none.error().code == Errc::not_found);
}

TEST_CASE("Files: rename moves a file and replaces none", "[conformance][files]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  net::Files& files = fixture.files();
  const std::string directory = fixture.directory();
  REQUIRE(fixture.run(write_file(files, directory + "/a", "a")));
  REQUIRE(fixture.run(write_file(files, directory + "/b", "b")));
  CHECK(is(fixture.run(files.rename(directory + "/a", directory + "/b")), Errc::exists));
  CHECK(is(fixture.run(files.rename(directory + "/none", directory + "/c")), Errc::not_found));
  CHECK(is(fixture.run(files.rename(directory + "/a", directory + "/none/c")), Errc::not_found));
  CHECK(fixture.run(files.rename(directory + "/a", directory + "/c")));
  CHECK(is(fixture.run(files.remove(directory + "/a")), Errc::not_found));
  CHECK(fixture.run(files.remove(directory + "/c")));
  CHECK(fixture.run(files.remove(directory + "/b")));
}

TEST_CASE("Files: directories are made with their parents, and may be there",
          "[conformance][files]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  net::Files& files = fixture.files();
  const std::string deep = fixture.directory() + "/x/y/z";
  CHECK(fixture.run(files.make_directory(deep)));
  CHECK(fixture.run(files.make_directory(deep)));
  CHECK(fixture.run(write_file(files, deep + "/file", "x")));
  CHECK(fixture.run(files.sync_directory(deep)));
  CHECK_FALSE(fixture.run(files.make_directory(deep + "/file")));
  CHECK_FALSE(fixture.run(files.make_directory(deep + "/file/below")));
  CHECK(is(fixture.run(files.sync_directory(deep + "/none")), Errc::not_found));
  CHECK(is(fixture.run(files.sync_directory(deep + "/file")), Errc::not_found));
  CHECK_FALSE(fixture.run(files.remove(deep)));  // remove() is for files
}

TEST_CASE("Files: an open file outlives its name", "[conformance][files]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  struct Outlive {
    static Task<Result<void>> write(net::Files& files, std::string path) {
      auto file = co_await files.create(path);
      if (!file) co_return fail(file.error());
      auto removed = co_await files.remove(std::move(path));
      if (!removed) co_return removed;
      auto written = co_await (*file)->write("still there");
      co_return written;
    }
  };
  CHECK(fixture.run(Outlive::write(fixture.files(), fixture.directory() + "/gone")));
}

TEST_CASE("Files: jobs that run beside each other do not disturb each other",
          "[conformance][files]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  struct Beside {
    static Task<void> write(net::Files& files, std::string path, int& good) {
      auto written = co_await write_file(files, path, std::string(10'000, 'x'));
      if (written) ++good;
    }
  };
  int good = 0;
  Scope scope(fixture.scheduler(), "writers");
  for (int i = 0; i < 50; ++i)
    scope.start(
        Beside::write(fixture.files(), fixture.directory() + "/f" + std::to_string(i), good));
  fixture.join(scope);
  CHECK(good == 50);
}

TEST_CASE("Files: a stop leaves a job done or not begun", "[conformance][files]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  struct Make {
    static Task<void> directory(net::Files& files, std::string path, int& made, int& stopped) {
      auto outcome = co_await files.make_directory(std::move(path));
      if (outcome)
        ++made;
      else if (outcome.error().code == Errc::cancelled)
        ++stopped;
    }
  };
  int stopped = 0;
  // The pool may have done all of them while we did not run: again, then.
  for (int round = 0; round < 100 && stopped == 0; ++round) {
    int made = 0;
    const std::string prefix = fmt::format("{}/d{}-", fixture.directory(), round);
    Scope scope(fixture.scheduler(), "makers");
    for (int i = 0; i < 100; ++i)
      scope.start(Make::directory(fixture.files(), prefix + std::to_string(i), made, stopped));
    scope.stop(Errc::cancelled);
    fixture.join(scope);
    CHECK(made + stopped == 100);
    int found = 0;
    for (int i = 0; i < 100; ++i)
      if (fixture.run(fixture.files().sync_directory(prefix + std::to_string(i)))) ++found;
    CHECK(found == made);
  }
  CHECK(stopped > 0);
}
