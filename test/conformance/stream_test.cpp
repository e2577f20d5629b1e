#include <postern/coro/sleep.hpp>
#include <postern/testing/random.hpp>

#include "catch.hpp"
#include "fixture.hpp"

using namespace postern;
using namespace postern::coro;
using namespace postern::conformance;
using namespace std::chrono_literals;

namespace {

std::string noise(std::size_t octets) {
  testing::Random dice(octets);
  std::string out;
  while (out.size() < octets) out += std::to_string(dice.next());
  out.resize(octets);
  return out;
}

// Takes at most `bite` octets at a time until the other side ends.
Task<Result<std::string>> read_all(net::Stream& stream, std::size_t bite) {
  std::string all;
  while (true) {
    while (!stream.input().empty()) {
      const auto piece = stream.input().substr(0, bite);
      all.append(piece);
      stream.consume(piece.size());
    }
    auto more = co_await stream.more(patience);
    if (more) continue;
    if (more.error().code == Errc::closed) co_return all;
    co_return fail(more.error());
  }
}

Task<Result<void>> wait_more(net::Stream& stream, Duration limit) {
  auto more = co_await stream.more(limit);
  co_return more;
}

Task<Result<void>> wait_flushed(net::Stream& stream, Duration limit) {
  auto flushed = co_await stream.flush(limit);
  co_return flushed;
}

Task<void> send_and_end(net::Stream& stream, std::string octets, std::size_t piece) {
  for (std::size_t at = 0; at < octets.size(); at += piece) {
    stream.write(std::string_view(octets).substr(at, piece));
    auto flushed = co_await stream.flush(patience);
    if (!flushed) co_return;
  }
  stream.end_output();
}

// The stream goes while its own reading is still on the stack.
Task<Result<std::string>> read_and_drop(net::StreamPtr stream) {
  auto more = co_await stream->more(patience);
  if (!more) co_return fail(more.error());
  std::string octets(stream->input());
  stream.reset();
  co_return octets;
}

Task<Errc> wait_for_end_and_drop(net::StreamPtr stream) {
  while (true) {
    stream->consume(stream->input().size());
    auto more = co_await stream->more(patience);
    if (more) continue;
    const Errc why = more.error().code;
    stream.reset();
    co_return why;
  }
}

class Watcher final : public net::EndWatcher {
 public:
  void stream_ended(Errc reason) override {
    ++calls;
    why = reason;
  }
  int calls = 0;
  std::optional<Errc> why;
};

bool is(const Result<void>& result, Errc code) { return !result && result.error().code == code; }

}  // namespace

TEST_CASE("Stream: octets arrive as they were sent, however they are cut",
          "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  const std::size_t octets = GENERATE(1u, 1000u, 70'000u);
  const std::size_t bite = GENERATE(1u, 7u, 100'000u);
  CAPTURE(octets, bite);
  auto [ours, theirs] = fixture.streams();
  const std::string sent = noise(octets);
  Scope scope(fixture.scheduler(), "sender");
  scope.start(send_and_end(*theirs, sent, 999));
  const auto got = fixture.run(read_all(*ours, bite));
  fixture.join(scope);
  REQUIRE(got);
  CHECK(*got == sent);
}

TEST_CASE("Stream: the end comes after the input, which stays", "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  auto [ours, theirs] = fixture.streams();
  theirs->write("bye");
  theirs->end_output();
  fixture.settle_until([&] { return ours->ended(); });
  CHECK(ours->input() == "bye");
  CHECK(ours->ended());
  CHECK(is(fixture.run(wait_more(*ours, patience)), Errc::closed));
  CHECK(ours->input() == "bye");
  ours->consume(3);
  CHECK(ours->input().empty());
  CHECK(is(fixture.run(wait_more(*ours, patience)), Errc::closed));
}

TEST_CASE("Stream: each half ends on its own", "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  auto [ours, theirs] = fixture.streams();
  theirs->end_output();
  fixture.settle_until([&] { return ours->ended(); });
  REQUIRE(ours->ended());
  ours->write("still here");
  ours->end_output();
  const auto got = fixture.run(read_all(*theirs, 100));
  REQUIRE(got);
  CHECK(*got == "still here");
}

TEST_CASE("Stream: one that goes is an orderly end for the other side", "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  auto [ours, theirs] = fixture.streams();
  theirs->write("last words");
  theirs.reset();
  const auto got = fixture.run(read_all(*ours, 100));
  REQUIRE(got);
  CHECK(*got == "last words");
}

TEST_CASE("Stream: a reset is told to the reader and to the writer", "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  auto [ours, theirs] = fixture.streams();
  theirs->reset();
  theirs.reset();
  CHECK(is(fixture.run(wait_more(*ours, patience)), Errc::reset));
  CHECK(ours->ended());
  for (int i = 0; i < 3; ++i) {
    ours->write("into the void");
    fixture.settle(5ms);
  }
  CHECK(is(fixture.run(wait_flushed(*ours, patience)), Errc::reset));
  CHECK(ours->unsent() == 0);
}

TEST_CASE("Stream: who writes to one that is gone is told", "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  auto [ours, theirs] = fixture.streams();
  theirs.reset();
  Result<void> flushed;
  fixture.settle_until([&] {  // the first that arrives there is answered with a reset
    ours->write("anybody?");
    flushed = fixture.run(wait_flushed(*ours, patience));
    return !flushed;
  });
  CHECK(is(flushed, Errc::reset));
}

TEST_CASE("Stream: stops reading above the high water mark and goes on below",
          "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  auto [ours, theirs] = fixture.streams();
  const std::string sent = noise(fixture.more_than_fits());
  Scope scope(fixture.scheduler(), "sender");
  scope.start(send_and_end(*theirs, sent, sent.size()));
  fixture.settle_until([&] { return ours->input().size() > net::Stream::high_water; });
  fixture.settle(50ms);
  const std::size_t held = ours->input().size();
  CHECK(held > net::Stream::high_water);
  CHECK(held <= 2 * net::Stream::high_water);  // one read more, of 64 KiB at most
  CHECK(theirs->unsent() > 0);                 // the writer feels it
  CHECK(scope.running() == 1);
  fixture.settle(50ms);
  CHECK(ours->input().size() == held);

  const auto got = fixture.run(read_all(*ours, 10'000));
  fixture.join(scope);
  REQUIRE(got);
  CHECK(*got == sent);
  CHECK(theirs->unsent() == 0);
}

TEST_CASE("Stream: a limit ends the wait, and the stream stays usable", "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  auto [ours, theirs] = fixture.streams();
  theirs->write("a");
  fixture.settle_until([&] { return ours->input() == "a"; });
  CHECK(is(fixture.run(wait_more(*ours, 5ms)), Errc::timed_out));
  CHECK(ours->input() == "a");
  CHECK_FALSE(ours->ended());
  theirs->write("b");
  CHECK(fixture.run(wait_more(*ours, patience)));
  CHECK(ours->input() == "ab");
}

TEST_CASE("Stream: tells its watcher of an end that nobody waits for", "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  auto [ours, theirs] = fixture.streams();
  Watcher watcher;
  ours->watch_end(&watcher);
  SECTION("an orderly end") {
    theirs.reset();
    fixture.settle_until([&] { return watcher.calls > 0; });
    fixture.settle();
    CHECK(watcher.calls == 1);
    CHECK(watcher.why == Errc::closed);
  }
  SECTION("a reset, behind input that nobody took") {
    theirs->write("unread");
    fixture.settle_until([&] { return ours->input() == "unread"; });
    theirs->reset();
    theirs.reset();
    fixture.settle_until([&] { return watcher.calls > 0; });
    fixture.settle();
    CHECK(watcher.calls == 1);
    CHECK(watcher.why == Errc::reset);
    CHECK(ours->input() == "unread");
  }
  SECTION("not while a task waits: it is told itself") {
    Scope scope(fixture.scheduler(), "reader");
    scope.start([](net::Stream& s) -> Task<void> { co_await s.more(patience); }(*ours));
    theirs.reset();
    fixture.join(scope);
    CHECK(watcher.calls == 0);
  }
  SECTION("not after it was taken away") {
    ours->watch_end(nullptr);
    theirs.reset();
    fixture.settle_until([&] { return ours->ended(); });
    CHECK(watcher.calls == 0);
    CHECK(ours->ended());
  }
}

TEST_CASE("Stream: may go in the very turn in which it read", "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  auto [ours, theirs] = fixture.streams();
  SECTION("octets") {
    theirs->write("x");
    const auto got = fixture.run(read_and_drop(std::move(ours)));
    REQUIRE(got);
    CHECK(*got == "x");
    CHECK(fixture.run(wait_for_end_and_drop(std::move(theirs))) == Errc::closed);
  }
  SECTION("its end") {
    theirs->write("x");
    theirs.reset();
    CHECK(fixture.run(wait_for_end_and_drop(std::move(ours))) == Errc::closed);
  }
  SECTION("its reset") {
    theirs->reset();
    theirs.reset();
    CHECK(fixture.run(wait_for_end_and_drop(std::move(ours))) == Errc::reset);
  }
  fixture.settle();
}

TEST_CASE("Stream: may go with octets unsent and unread", "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  auto [ours, theirs] = fixture.streams();
  ours->write(noise(fixture.more_than_fits()));
  theirs->write(noise(1000));
  fixture.settle(50ms);
  CHECK(ours->unsent() > 0);
  ours.reset();
  const Errc why = fixture.run(wait_for_end_and_drop(std::move(theirs)));
  CHECK((why == Errc::closed || why == Errc::reset));
}

TEST_CASE("Stream: flush is at once when all was sent", "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  auto [ours, theirs] = fixture.streams();
  CHECK(fixture.run(wait_flushed(*ours, patience)));
  ours->write("");
  ours->write("small");
  CHECK(ours->unsent() == 0);  // the kernel took it
  CHECK(fixture.run(wait_flushed(*ours, patience)));
}

TEST_CASE("Stream: flush waits for a slow reader, and no longer than its limit",
          "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  auto [ours, theirs] = fixture.streams();
  ours->write(noise(fixture.more_than_fits()));
  CHECK(ours->unsent() > 0);
  CHECK(is(fixture.run(wait_flushed(*ours, 50ms)), Errc::timed_out));
}

TEST_CASE("Stream: many writes go out in their order", "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  auto [ours, theirs] = fixture.streams();
  std::string sent = noise(fixture.more_than_fits() / 2);
  ours->write(sent);
  for (std::size_t i = 1; i < 300; i += 7) {
    const std::string piece = noise(i);
    sent += piece;
    ours->write(piece);
  }
  ours->end_output();
  const auto got = fixture.run(read_all(*theirs, 50'000));
  REQUIRE(got);
  CHECK(*got == sent);
}

TEST_CASE("Stream: both sides know where they are", "[conformance][stream]") {
  POSTERN_EACH_STREAM(fixture);
  auto [ours, theirs] = fixture.streams();
  CHECK(ours->local() == theirs->remote());
  CHECK(ours->remote() == theirs->local());
  CHECK(ours->local() != ours->remote());
}
