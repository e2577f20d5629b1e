// What a worker and the helper say to each other.
#include "postern/testing/memory_stream.hpp"
#include <postern/net/program_request.hpp>
#include <postern/net/programs.hpp>

#include <string>

#include "catch.hpp"

using namespace postern;
using namespace std::chrono_literals;
using net::ProgramCall;
using net::ProgramEnd;

TEST_CASE("write_request: is read again as it was", "[net][programs]") {
  ProgramCall call;
  call.program = "qmail";
  call.words = {"", "a@b.example", std::string("x\0y", 3)};
  call.dialogue = GENERATE(true, false);
  call.second_input = GENERATE(true, false);
  const auto octets = net::write_request(call);
  REQUIRE(octets);
  const auto read = net::parse_request(*octets);
  REQUIRE(read);
  CHECK(read->program == call.program);
  CHECK(read->words == call.words);
  CHECK(read->dialogue == call.dialogue);
  CHECK(read->second_input == call.second_input);
  CHECK(net::descriptors_of(*read) == net::descriptors_of(call));
}

TEST_CASE("write_request: no more than a datagram holds", "[net][programs]") {
  ProgramCall call;
  call.words.assign(net::most_request_octets / 100 + 1, std::string(100, 'x'));
  const auto octets = net::write_request(call);
  REQUIRE_FALSE(octets);
  CHECK(octets.error().code == Errc::too_long);
}

TEST_CASE("parse_request: whatever is cut short or no request is malformed", "[net][programs]") {
  ProgramCall call;
  call.program = "p";
  call.words = {"one", "two"};
  const std::string whole = *net::write_request(call);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto read = net::parse_request(std::string_view(whole).substr(0, size));
    CAPTURE(size);
    // Between two words it is a request, of fewer words.
    if (read) CHECK(read->words.size() < call.words.size());
  }
  CHECK_FALSE(net::parse_request("\x04" + whole.substr(1)));
  CHECK_FALSE(net::parse_request(std::string("\x00\xff\xff\xff\xff", 5)));
  CHECK_FALSE(net::parse_request(std::string(net::most_request_octets + 1, '\0')));
}

namespace {

struct Ends {
  explicit Ends(testing::LinkOptions options = {}) {
    std::tie(ours, theirs) = testing::make_stream_pair(sim, options);
  }
  Result<ProgramEnd> read() { return sim.run(net::read_program_end(*ours, 10s)); }

  testing::SimScheduler sim;
  net::StreamPtr ours, theirs;
};

}  // namespace

TEST_CASE("read_program_end: gives what was written, however it comes", "[net][programs]") {
  const auto kind = GENERATE(ProgramEnd::Kind::exited, ProgramEnd::Kind::killed,
                             ProgramEnd::Kind::late, ProgramEnd::Kind::refused);
  Ends ends({.pieces = GENERATE(testing::Pieces::whole, testing::Pieces::single)});
  ends.theirs->write(net::write_program_end({kind, 75, "a\nb \xff"}));
  ends.theirs->end_output();
  const auto end = ends.read();
  REQUIRE(end);
  CHECK(end->kind == kind);
  CHECK(end->code == 75);
  CHECK(end->output == "a\nb \xff");
}

TEST_CASE("read_program_end: a helper that goes has said nothing", "[net][programs]") {
  Ends ends;
  ends.theirs.reset();
  const auto end = ends.read();
  REQUIRE_FALSE(end);
  CHECK(end.error().code == Errc::closed);
}

TEST_CASE("read_program_end: waits no longer than it may", "[net][programs]") {
  Ends ends;
  ends.theirs->write("exited 0\n");  // and no end
  const auto end = ends.read();
  REQUIRE_FALSE(end);
  CHECK(end.error().code == Errc::timed_out);
  CHECK(ends.sim.elapsed() == 10s);
}

TEST_CASE("read_program_end: nonsense is malformed", "[net][programs]") {
  const std::string octets = GENERATE(as<std::string>{}, "exited\n", "exited x\n", "gone 0\n",
                                      "exited 0", "exited 0 \n", "\n");
  CAPTURE(octets);
  Ends ends;
  ends.theirs->write(octets);
  ends.theirs->end_output();
  const auto end = ends.read();
  REQUIRE_FALSE(end);
  CHECK(end.error().code == Errc::malformed);
}
