// What the state store costs, with ten million live keys: a read, what greylisting does for an
// unknown sender (reads, and an update that is handed over), an awaited update, and the time until
// another worker sees one.
//
//   store [KEYS] [FOLDER]
#include <postern/store/lmdb_store.hpp>
#include <postern/store/state.hpp>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

using namespace postern;
using namespace postern::store;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t samples = 200'000;

class Silence final : public Log {
 public:
  void write(Level, std::string_view message) override { fmt::print("{}\n", message); }
  void record(std::string_view) override {}
};

// As greylisting makes them; spread over the whole of the index.
std::string key_of(std::uint64_t n) {
  const std::uint64_t mixed = n * 0x9e3779b97f4a7c15u;
  return fmt::format("mail {}.{}.{}.0/24 user{:x}@domain{}.example someone{}@example.net",
                     mixed >> 56, mixed >> 48 & 255, mixed >> 40 & 255, mixed & 0xffffff,
                     mixed >> 24 & 0xffff, n % 1000);
}

void fill(const LmdbPlace& place, std::uint64_t keys) {
  std::vector<std::string> notes;
  const auto file = LmdbFile::open(place, notes);
  if (!file) throw std::runtime_error(file.error().describe());
  const std::string space("greylisting\0", 12);
  const WallTime now = system_clock().now();
  const auto began = Clock::now();
  for (std::uint64_t at = 0; at < keys;) {
    LmdbTransaction transaction(**file);
    int code = transaction.begin();
    for (int i = 0; i < 20'000 && at < keys && code == 0; ++i, ++at)
      code = transaction.restore(space + key_of(at),
                                 Entry{Form::value, now + 1h * (1 + at % 48), "grey 1767225600"});
    if (code == 0) code = transaction.commit();
    if (code != 0) throw std::runtime_error(lmdb_error(code, "filling").describe());
  }
  LmdbReader reader(*file);
  const auto usage = reader.usage(now);
  fmt::print("{} keys in {:.0f} s, {:.2f} GB used\n", usage->entries,
             std::chrono::duration<double>(Clock::now() - began).count(),
             static_cast<double>(usage->octets) / 1e9);
}

template <typename Work>
void measure(const char* name, Work work, std::size_t times = samples) {
  std::vector<double> microseconds;
  microseconds.reserve(times);
  for (std::size_t i = 0; i < times; ++i) {
    const auto began = Clock::now();
    work(i);
    microseconds.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count());
  }
  std::sort(microseconds.begin(), microseconds.end());
  const auto at = [&](double share) {
    return microseconds[static_cast<std::size_t>(share * static_cast<double>(times - 1))];
  };
  fmt::print("{:<44} {:>9.2f} {:>9.2f} {:>9.2f} {:>9.2f}\n", name, at(0.5), at(0.9), at(0.99),
             at(1));
}

void check(bool good) {
  if (!good) throw std::runtime_error("an operation failed");
}

coro::Task<void> await_often(State state, net::Loop& loop) {
  std::vector<double> microseconds;
  for (int i = 0; i < 2000; ++i) {
    const auto began = Clock::now();
    const auto done = co_await state.count_exactly("exact", 60s);
    check(done.has_value());
    microseconds.push_back(std::chrono::duration<double, std::micro>(Clock::now() - began).count());
  }
  std::sort(microseconds.begin(), microseconds.end());
  fmt::print("{:<44} {:>9.2f} {:>9.2f} {:>9.2f} {:>9.2f}\n", "an awaited count", microseconds[1000],
             microseconds[1800], microseconds[1980], microseconds.back());
  loop.stop();
}

struct Finished final : coro::Completion {
  void finished() noexcept override {}
};

// Another worker answers each key with one of its own: half a round is what one of them waits.
int answer(const LmdbPlace& place, int socket) {
  net::Loop loop;
  Silence log;
  LmdbStore store(loop, log, place);
  const State state(store, "ping");
  (void)!write(socket, "r", 1);
  for (int i = 0; i < 500; ++i) {
    while (!state.get(std::to_string(i)).value()) continue;
    check(state.put("pong " + std::to_string(i), "", 1h).has_value());
  }
  return 0;
}

void measure_all(const LmdbPlace& place, std::uint64_t keys, int socket) {
  net::Loop loop;
  Silence log;
  LmdbStore store(loop, log, place);
  const State state(store, "greylisting");
  std::mt19937_64 random(1);
  fmt::print("{:<44} {:>9} {:>9} {:>9} {:>9}\n", "microseconds", "median", "90 %", "99 %", "most");
  const auto drawn = [&] { return key_of(random() % keys); };
  measure("reading a key that is there",
          [&](std::size_t) { check(state.get(drawn())->has_value()); });
  measure("reading one that is not",
          [&](std::size_t i) { check(!state.get(key_of(keys + i) + "x")->has_value()); });
  measure("greylisting an unknown sender", [&](std::size_t i) {
    const std::string key = key_of(keys + i);
    check(!state.get(key)->has_value());
    check(state.counted(key.substr(0, key.find('/')), 1h).has_value());
    check(!state.get(key + " reply")->has_value());
    // The generator is faster than any mail: what is too much for the writer waits here.
    while (!state.put(key, "grey 1767225600", 48h)) usleep(1000);
  });
  coro::Context context(loop, "bench");
  Finished finished;
  coro::Task<void> task = await_often(state, loop);
  if (!task.start(context, finished)) loop.run();
  char ready = 0;
  check(read(socket, &ready, 1) == 1);
  const State ping(store, "ping");
  measure(
      "until another worker has seen it, and back",
      [&](std::size_t i) {
        check(ping.put(std::to_string(i), "", 1h).has_value());
        while (!ping.get("pong " + std::to_string(i)).value()) continue;
      },
      500);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t keys = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
  const std::string folder = argc > 2 ? argv[2] : "build/bench/state";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const LmdbPlace place{folder, 8'000'000'000, true};
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) return 1;
  try {
    fill(place, keys);
    const pid_t other = fork();
    if (other == 0) _exit(answer(place, sockets[1]));
    measure_all(place, keys, sockets[0]);
    int status = 0;
    waitpid(other, &status, 0);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  std::filesystem::remove_all(folder);
  return 0;
}
