// What the base of all streams does on its own; what every stream must do is in test/conformance.
#include <postern/testing/memory_stream.hpp>

#include "catch.hpp"

using namespace postern;
using namespace postern::coro;
using namespace postern::net;
using namespace postern::testing;
using namespace std::chrono_literals;

namespace {

// Waits until it holds `octets`, consuming nothing.
Task<Result<std::size_t>> gather(Stream& stream, std::size_t octets) {
  while (stream.input().size() < octets) {
    auto more = co_await stream.more(10s);
    if (!more) co_return fail(more.error());
  }
  co_return stream.input().size();
}

Task<std::string> read_lines(Stream& stream, std::size_t lines, int& waits) {
  std::string out;
  while (lines > 0) {
    const auto end = stream.input().find('\n');
    if (end == std::string_view::npos) {
      ++waits;
      auto more = co_await stream.more(10s);
      if (!more) break;
      continue;
    }
    out.append(stream.input().substr(0, end)).append("|");
    stream.consume(end + 1);
    --lines;
  }
  co_return out;
}

}  // namespace

TEST_CASE("Stream: a pipelined group is read with one wait", "[net][stream]") {
  SimScheduler sim;
  auto [ours, theirs] = make_stream_pair(sim);
  theirs->write("MAIL\nRCPT\nDATA\nrest");
  int waits = 0;
  CHECK(sim.run(read_lines(*ours, 3, waits)) == "MAIL|RCPT|DATA|");
  CHECK(waits == 1);
  CHECK(ours->input() == "rest");
}

TEST_CASE("Stream: who asks for more than the high water mark gets it", "[net][stream]") {
  const auto pieces = GENERATE(Pieces::whole, Pieces::random);
  SimScheduler sim;
  auto [ours, theirs] = make_stream_pair(sim, {.pieces = pieces});
  theirs->write(std::string(4 * Stream::high_water, 'x'));
  SECTION("from the beginning") {
    const auto held = sim.run(gather(*ours, 3 * Stream::high_water));
    REQUIRE(held);
    CHECK(*held >= 3 * Stream::high_water);
  }
  SECTION("after reading had stopped") {
    sim.run_until_idle();
    CHECK(ours->input().size() <= 2 * Stream::high_water);
    const auto held = sim.run(gather(*ours, 3 * Stream::high_water));
    REQUIRE(held);
    CHECK(*held >= 3 * Stream::high_water);
  }
  SECTION("and reading stops again when nobody asks") {
    REQUIRE(sim.run(gather(*ours, 2 * Stream::high_water)));
    theirs->write(std::string(8 * Stream::high_water, 'x'));
    sim.run_until_idle();
    CHECK(ours->input().size() <= 4 * Stream::high_water);
    CHECK(theirs->unsent() > 0);
  }
  CHECK(sim.live_tasks() == 0);
}

TEST_CASE("Stream: reading goes on when half of what was held is consumed", "[net][stream]") {
  SimScheduler sim;
  auto [ours, theirs] = make_stream_pair(sim, {.pieces = Pieces::random});
  theirs->write(std::string(4 * Stream::high_water, 'x'));
  sim.run_until_idle();
  const std::size_t held = ours->input().size();
  ours->consume(held - Stream::low_water - 1);
  sim.run_until_idle();
  CHECK(ours->input().size() == Stream::low_water + 1);
  ours->consume(1);
  sim.run_until_idle();
  CHECK(ours->input().size() > Stream::high_water);
}
