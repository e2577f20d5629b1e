#include <postern/base/log_writer.hpp>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"

using namespace postern;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 60s;  // what takes longer has gone wrong, also on a busy machine

struct Directory {
  std::string path = "/tmp/postern-log-XXXXXX";
  Directory() { REQUIRE(mkdtemp(path.data()) != nullptr); }
  ~Directory() { std::filesystem::remove_all(path); }
  std::string operator/(const char* name) const { return path + "/" + name; }
};

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

LogTarget to_file(const std::string& path) {
  auto target = LogTarget::open("file:" + path);
  REQUIRE(target);
  return std::move(*target);
}

std::chrono::system_clock::time_point fixed_clock() {
  return std::chrono::system_clock::time_point(1'795'259'731s + 42us);
}

struct Pipe {
  int ends[2];
  Pipe() { REQUIRE(pipe2(ends, O_CLOEXEC) == 0); }
  ~Pipe() {
    close_reader();
    ::close(ends[1]);
  }
  void close_reader() {
    if (ends[0] >= 0) ::close(std::exchange(ends[0], -1));
  }
  std::string drain() const {
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    std::string all(1 << 20, '\0');
    const auto count = ::read(ends[0], all.data(), all.size());
    all.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return all;
  }
};

}  // namespace

TEST_CASE("LogWriter: writes messages as JSON lines with time, level and fields", "[base][log]") {
  Directory directory;
  LogWriter log(to_file(directory / "log"),
                {.fields = {{"worker", "1"}, {"generation", "7"}}, .clock = &fixed_clock});
  log.start();
  log.notice("hello {}", "x\ny");
  log.debug("not at this level {}", 1);
  log.record(R"({"event":"transaction"})");
  REQUIRE(log.flush(patience));
  CHECK(
      lines_of(directory / "log") ==
      std::vector<std::string>{
          R"({"time":"2026-11-21T11:15:31.000042Z","level":"notice","worker":"1","generation":"7","message":"hello x\ny"})",
          R"({"event":"transaction","worker":"1","generation":"7"})"});
}

TEST_CASE("LogWriter: writes readable lines, one for each message", "[base][log]") {
  Directory directory;
  LogWriter log(
      to_file(directory / "log"),
      {.format = LogWriter::Format::text, .fields = {{"worker", "1"}}, .clock = &fixed_clock});
  log.start();
  log.error("two\r\nlines \x1b[2J");
  log.info("{}", std::string(1 << 20, 'x'));
  REQUIRE(log.flush(patience));
  const auto lines = lines_of(directory / "log");
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == R"(2026-11-21T11:15:31.000042Z error worker=1 two\x0d\x0alines \x1b[2J)");
  CHECK(lines[1].size() < 1200);
}

TEST_CASE("LogWriter: what is written before start() is not lost", "[base][log]") {
  Directory directory;
  LogWriter log(to_file(directory / "log"), {});
  log.info("early");
  CHECK_FALSE(log.flush(1ms));
  log.start();
  REQUIRE(log.flush(patience));
  CHECK(lines_of(directory / "log").size() == 1);
}

TEST_CASE("LogWriter: the destructor writes what is queued", "[base][log]") {
  Directory directory;
  {
    LogWriter log(to_file(directory / "log"), {});
    log.start();
    for (int i = 0; i < 1000; ++i) log.info("line {}", i);
  }
  const auto lines = lines_of(directory / "log");
  REQUIRE(lines.size() == 1000);
  CHECK(nlohmann::json::parse(lines[999])["message"] == "line 999");
}

TEST_CASE("LogWriter: a blocked pipe drops and counts lines, and the log tells how many",
          "[base][log]") {
  Pipe pipe;
  LogWriter log(LogTarget::on(pipe.ends[1]), {.queue_octets = 100'000});
  log.start();
  const std::string long_text(900, 'x');
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) log.info("{}", long_text);
  CHECK(std::chrono::steady_clock::now() - begin < patience);  // nobody waited for the pipe
  CHECK_FALSE(log.flush(50ms));
  const auto dropped = log.dropped();
  CHECK(dropped > 500);
  std::string out;
  for (int i = 0; i < 2000 && !log.flush(5ms); ++i) out += pipe.drain();
  out += pipe.drain();
  std::istringstream lines(out);
  std::uint64_t whole = 0, told = 0;
  for (std::string line; std::getline(lines, line);) {
    REQUIRE(nlohmann::json::accept(line));
    const std::string message = nlohmann::json::parse(line)["message"];
    if (message == long_text)
      ++whole;
    else
      told += std::stoull(message);  // "N log lines were dropped", as often as there was room again
  }
  CHECK(told == dropped);
  CHECK(whole + dropped == 1000);
}

TEST_CASE("LogWriter: stop() ends in time while the pipe is blocked", "[base][log]") {
  Pipe pipe;
  LogWriter log(LogTarget::on(pipe.ends[1]), {});
  log.start();
  for (int i = 0; i < 1000; ++i) log.info("{}", std::string(900, 'x'));
  const auto begin = std::chrono::steady_clock::now();
  log.stop(50ms);
  CHECK(std::chrono::steady_clock::now() - begin < patience);
}

TEST_CASE("LogWriter: a reader that went away is neither a signal nor a busy loop", "[base][log]") {
  Pipe pipe;
  pipe.close_reader();
  LogWriter log(LogTarget::on(pipe.ends[1]), {});
  log.start();
  log.info("nobody reads this");
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  CHECK_FALSE(log.flush(300ms));
  getrusage(RUSAGE_SELF, &after);
  const auto cpu = [](const rusage& u) {
    return u.ru_utime.tv_sec * 1'000'000 + u.ru_utime.tv_usec + u.ru_stime.tv_sec * 1'000'000 +
           u.ru_stime.tv_usec;
  };
  CHECK(cpu(after) - cpu(before) < 150'000);
}

TEST_CASE("LogWriter: a full disk loses nothing while the queue has room", "[base][log]") {
  Directory directory;
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 100;  // EFBIG in the midst of a line stands for ENOSPC
  LogWriter log(to_file(directory / "log"), {});
  setrlimit(RLIMIT_FSIZE, &small);
  log.start();
  for (int i = 0; i < 10; ++i) log.info("line {}", i);
  const bool flushed = log.flush(50ms);
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK_FALSE(flushed);
  REQUIRE(log.flush(patience));
  const auto lines = lines_of(directory / "log");
  REQUIRE(lines.size() == 10);
  for (const auto& line : lines) CHECK(nlohmann::json::accept(line));
}

TEST_CASE("LogWriter: reopen() follows a rotated file", "[base][log]") {
  Directory directory;
  LogWriter log(to_file(directory / "log"), {});
  log.start();
  log.info("old");
  REQUIRE(log.flush(patience));
  std::filesystem::rename(directory / "log", directory / "log.1");
  log.reopen();
  log.info("new");
  REQUIRE(log.flush(patience));
  CHECK(lines_of(directory / "log.1").size() == 1);
  const auto lines = lines_of(directory / "log");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find(R"("message":"new")") != std::string::npos);  // and not the old line again
}

TEST_CASE("LogWriter: lines of several threads stay whole", "[base][log]") {
  Directory directory;
  {
    LogWriter log(to_file(directory / "log"), {});
    log.start();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 500; ++i) log.info("thread {} line {}", t, i);
      });
    for (auto& thread : threads) thread.join();
  }
  const auto lines = lines_of(directory / "log");
  CHECK(lines.size() == 2000);
  for (const auto& line : lines)
    if (!nlohmann::json::accept(line)) FAIL(line);
}

TEST_CASE("LogTarget: refuses a symbolic link and what is no target", "[base][log]") {
  Directory directory;
  std::filesystem::create_symlink("/dev/null", directory / "link");
  CHECK_FALSE(LogTarget::open("file:" + directory / "link"));
  CHECK_FALSE(LogTarget::open("file:"));
  CHECK_FALSE(LogTarget::open("stdout"));
  CHECK(LogTarget::open("file:/nonexistent/log").error().code == Errc::not_found);
}

TEST_CASE("LogTarget: the journal gets the priority of each line", "[base][log]") {
  Pipe pipe;
  const int before = dup(STDERR_FILENO);
  dup2(pipe.ends[1], STDERR_FILENO);
  auto target = LogTarget::open("journal");
  const auto taken = target->write_some("3bad\n6fine\n");
  dup2(before, STDERR_FILENO);
  ::close(before);
  CHECK(taken == 11u);
  CHECK(pipe.drain() == "<3>bad\n<6>fine\n");
}

TEST_CASE("LogWriter: plain lines are nothing but what was written", "[base][log]") {
  Directory directory;
  LogWriter log(to_file(directory / "lines"),
                {.format = LogWriter::Format::plain, .fields = {{"worker", "1"}}});
  log.start();
  log.write(Level::info, "` 192.0.2.1\tmx\\\xc3\xbc");
  log.write(Level::info, "one\nline");
  REQUIRE(log.flush(patience));
  CHECK(lines_of(directory / "lines") ==
        std::vector<std::string>{"` 192.0.2.1\tmx\\\xc3\xbc", "one line"});
}

TEST_CASE("LogWriter: plain lines that are dropped are counted, and not told among them",
          "[base][log]") {
  Pipe pipe;
  LogWriter log(LogTarget::on(pipe.ends[1]),
                {.format = LogWriter::Format::plain, .queue_octets = 10'000});
  for (int i = 0; i < 20; ++i) log.write(Level::info, std::string(999, 'x'));
  CHECK(log.dropped() == 11);
  log.start();
  REQUIRE(log.flush(patience));
  log.write(Level::info, "more");
  REQUIRE(log.flush(patience));
  const std::string out = pipe.drain();
  CHECK(out.find("dropped") == std::string::npos);
  CHECK(out.ends_with("more\n"));
}

TEST_CASE("LogTarget: a named pipe that nobody reads is an error at once", "[base][log]") {
  Directory directory;
  REQUIRE(mkfifo((directory / "pipe").c_str(), 0600) == 0);
  CHECK_FALSE(LogTarget::open("file:" + (directory / "pipe")));
}
