#include <postern/coro/sleep.hpp>

#include "catch.hpp"
#include "fixture.hpp"

using namespace postern;
using namespace postern::coro;
using namespace postern::conformance;
using namespace std::chrono_literals;

namespace {

Task<void> keep_error(net::Network& network, SocketAddress to, std::optional<Errc>& error) {
  auto stream = co_await network.connect(to, forever);
  if (!stream) error = stream.error().code;
}

}  // namespace

TEST_CASE("Network: a connect ends in a stream at both sides", "[conformance][network]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  std::vector<net::StreamPtr> accepted;
  const auto address =
      fixture.listen([&](net::StreamPtr stream) { accepted.push_back(std::move(stream)); });
  for (std::size_t n = 1; n <= 3; ++n) {
    const auto stream = fixture.run(fixture.network().connect(address, patience));
    REQUIRE(stream);
    CHECK((*stream)->remote() == address);
    fixture.settle_until([&] { return accepted.size() == n; });
    REQUIRE(accepted.size() == n);
    CHECK(accepted.back()->remote() == (*stream)->local());
    CHECK(accepted.back()->local() == address);
  }
}

TEST_CASE("Network: where nobody listens a connect is refused", "[conformance][network]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  const auto stream = fixture.run(fixture.network().connect(fixture.refusing(), patience));
  REQUIRE_FALSE(stream);
  CHECK(stream.error().code == Errc::refused);
}

TEST_CASE("Network: without an answer a connect ends at its limit", "[conformance][network]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  const TimePoint start = fixture.scheduler().now();
  const auto stream = fixture.run(fixture.network().connect(fixture.silent(), 100ms));
  REQUIRE_FALSE(stream);
  CHECK(stream.error().code == Errc::timed_out);
  CHECK(fixture.scheduler().now() - start >= 100ms);
  CHECK(fixture.scheduler().now() - start < patience);
}

TEST_CASE("Network: a stop ends a connect", "[conformance][network]") {
  POSTERN_EACH_IMPLEMENTATION(fixture);
  std::optional<Errc> error;
  Scope scope(fixture.scheduler(), "client");
  scope.start(keep_error(fixture.network(), fixture.silent(), error));
  fixture.settle(20ms);
  CHECK_FALSE(error);
  scope.stop(Errc::cancelled);
  fixture.join(scope);
  CHECK(error == Errc::cancelled);
}
