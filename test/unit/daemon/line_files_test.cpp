#include "line_files.hpp"

#include <postern/testing/harness.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "catch.hpp"

using namespace postern;
using namespace std::chrono_literals;

namespace {

struct Directory {
  std::string path = "/tmp/postern-lines-XXXXXX";
  Directory() { REQUIRE(mkdtemp(path.data()) != nullptr); }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string operator/(const char* name) const { return path + "/" + name; }
};

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Until `holds`, at most for a minute.
template <typename Holds>
bool within_reason(const Holds& holds) {
  for (int i = 0; i < 6000 && !holds(); ++i) std::this_thread::sleep_for(10ms);
  return holds();
}

}  // namespace

TEST_CASE("LineFiles: lines come as they are given, for the owner and his group",
          "[daemon][lines]") {
  const Directory directory;
  const std::string path = directory / "terse";
  {
    daemon::LineFiles files;
    auto file = files.open(path);
    REQUIRE(file);
    CHECK(files.open(path).value() == *file);
    (*file)->write("` 192.0.2.1\tUnknown");
    (*file)->write("no line\nwithin a line");
  }
  CHECK(content(path) == "` 192.0.2.1\tUnknown\nno line within a line\n");
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0137) == 0);  // 0640 at most
}

TEST_CASE("LineFiles: a file that was renamed is opened anew", "[daemon][lines]") {
  const Directory directory;
  const std::string path = directory / "terse";
  {
    daemon::LineFiles files;
    auto file = files.open(path);
    REQUIRE(file);
    (*file)->write("one");
    REQUIRE(within_reason([&] { return content(path) == "one\n"; }));
    std::filesystem::rename(path, path + ".1");
    files.reopen();
    REQUIRE(within_reason([&] { return std::filesystem::exists(path); }));
    (*file)->write("two");
  }
  CHECK(content(path + ".1") == "one\n");
  CHECK(content(path) == "two\n");
}

TEST_CASE("LineFiles: what cannot be opened is an error", "[daemon][lines]") {
  const Directory directory;
  daemon::LineFiles files;
  CHECK(files.open(directory / "none" + "/terse").error().code == Errc::not_found);
  const std::string pipe = directory / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_FALSE(files.open(pipe));  // nobody reads it: at once
}

TEST_CASE("LineFiles: nobody waits for a reader, and the log tells how many lines are lost",
          "[daemon][lines]") {
  const Directory directory;
  const std::string pipe = directory / "pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  testing::KeptLog log;
  {
    daemon::LineFiles files;
    auto file = files.open(pipe);
    REQUIRE(file);
    const std::string line(1023, 'x');
    for (int i = 0; i < 5000; ++i) (*file)->write(line);
    files.tell_dropped(log);
    files.tell_dropped(log);
    ::close(reader);
  }
  REQUIRE(log.lines.size() == 1);
  CHECK(log.lines[0].find("lines were dropped") != std::string::npos);
}
