// Invariant 1, generated: every step × what a downstream can do wrong × what a client can do.
#include <postern/testing/random.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>

#include "catch.hpp"
#include "run_cell.hpp"

using namespace postern::simulation;

namespace {

std::string now_running;

// Whatever ends the process says in which cell.
void say_where() {
  const std::string text = "in the cell: " + now_running + "\n";
  [[maybe_unused]] auto written = write(STDERR_FILENO, text.data(), text.size());
}

void on_abort(int) { say_where(); }

std::uint64_t base_seed() {
  const char* set = std::getenv("POSTERN_SEED");
  return set ? std::strtoull(set, nullptr, 10) : 1;
}

#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t slower =
    3;  // some ten times, in truth: the build without it runs more cells
#else
constexpr std::uint64_t slower = 1;
#endif

// All cells where `share` is 1, else one of so many, as the seed draws them.
std::vector<Cell> some_of(std::vector<Cell> cells, std::uint64_t share) {
  share *= slower;
  if (std::getenv("POSTERN_CELLS") || std::getenv("POSTERN_CELL"))
    share = 1;  // "all", or one by name
  postern::testing::Random dice(base_seed());
  std::erase_if(cells, [&](const Cell&) { return dice.below(share) != 0; });
  for (Cell& cell : cells) cell.seed += (base_seed() - 1) * 100'000;
  return cells;
}

class Report {
 public:
  explicit Report(std::string_view what) : what_(what) { std::signal(SIGABRT, on_abort); }
  void add(const Cell& cell) {
    now_running = cell.name();
    if (only_ && now_running.find(only_) == std::string::npos) return;
    ++ran_;
    const Outcome outcome = run(cell);
    if (only_) std::cout << now_running << "\n" << outcome.dialogue;
    if (outcome.complaints.empty() || ++failed_ > most_shown) return;
    std::string text = "POSTERN_CELL=\"" + now_running + "\"\n";
    for (const std::string& each : outcome.complaints) text += "  " + each + "\n";
    UNSCOPED_INFO(text);
  }
  void close() {
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - began_);
    std::cout << fmt::format("{}: {} cells of seed {} in {} ms, {} failed\n", what_, ran_,
                             base_seed(), took.count(), failed_);
    CHECK(failed_ == 0);
  }

 private:
  static constexpr std::size_t most_shown = 12;
  std::string_view what_;
  const char* only_ = std::getenv("POSTERN_CELL");
  std::size_t ran_ = 0, failed_ = 0;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

void run_all(std::string_view what, const std::vector<Cell>& cells) {
  Report report(what);
  for (const Cell& cell : cells) report.add(cell);
  report.close();
}

}  // namespace

extern "C" void __asan_on_error() { say_where(); }

TEST_CASE("Invariant 1: whatever the downstream does, a 250 is its own", "[simulation][matrix]") {
  run_all("downstream", some_of(downstream_cells(Identity::none), 1));
  std::vector<Cell> others;
  for (const Identity identity :
       {Identity::xforward, Identity::xclient, Identity::proxy_v1, Identity::proxy_v2}) {
    const auto cells = downstream_cells(identity);
    others.insert(others.end(), cells.begin(), cells.end());
  }
  run_all("downstream, with the client's identity", some_of(std::move(others), 4));
}

TEST_CASE("Invariant 1: whatever the client does, nothing is lost or sent half",
          "[simulation][matrix]") {
  run_all("client", some_of(client_cells(), 1));
}

TEST_CASE("Invariant 1: whatever both do", "[simulation][matrix]") {
  run_all("both", some_of(mixed_cells(), 5));
}
