#include "protocol.hpp"

#include <catch.hpp>

#include <string>
#include <vector>

namespace postern::daemon {
namespace {

using Side = Decoder::Side;

// All that a decoder makes of these octets, fed in pieces of `step`; an error ends it.
std::vector<Result<Message>> decode_all(Side side, const std::string& octets, std::size_t step) {
  Decoder decoder(side);
  std::vector<Result<Message>> out;
  for (std::size_t at = 0; at < octets.size(); at += step) {
    decoder.feed(std::string_view(octets).substr(at, step));
    for (;;) {
      auto message = decoder.next();
      if (!message) {
        out.push_back(fail(message.error()));
        return out;
      }
      if (!*message) break;
      out.push_back(std::move(**message));
    }
  }
  return out;
}

TEST_CASE("Decoder: gives back what was encoded, in any pieces", "[daemon][protocol]") {
  const std::size_t step = GENERATE(as<std::size_t>{}, 1, 7, 100'000);
  SECTION("for a worker") {
    const std::string wire =
        encode(Hello{3, 1'000'000'000'000, 8, 77, 9, {4, 5, 70'000}, {0, 1, 1}, 12}) +
        encode(BundleBytes{std::string(5000, '\0') + "x"}) + encode(Serve{4}) +
        encode(Release{70'000}) + encode(Drain{}) + encode(Finish{}) + encode(Reopen{}) +
        encode(Ask{1'000'000'000'001, "status"}) +
        encode(TlsState{"keys", {{"a.crt", "A\n", "a.key", ""}, {}}});
    const auto got = decode_all(Side::worker, wire, step);
    REQUIRE(got.size() == 9);
    const auto hello = std::get<Hello>(*got[0]);
    CHECK(hello.slot == 3);
    CHECK(hello.generation == 1'000'000'000'000);
    CHECK(hello.workers == 8);
    CHECK(hello.row == 77);
    CHECK(hello.counters == 9);
    CHECK(hello.helper == 12);
    CHECK(hello.sockets == std::vector<int>{4, 5, 70'000});
    CHECK(hello.listeners == std::vector<std::uint64_t>{0, 1, 1});
    CHECK(std::get<BundleBytes>(*got[1]).bytes == std::string(5000, '\0') + "x");
    CHECK(std::get<Serve>(*got[2]).socket == 4);
    CHECK(std::get<Release>(*got[3]).socket == 70'000);
    CHECK(std::holds_alternative<Drain>(*got[4]));
    CHECK(std::holds_alternative<Finish>(*got[5]));
    CHECK(std::holds_alternative<Reopen>(*got[6]));
    CHECK(std::get<Ask>(*got[7]).number == 1'000'000'000'001);
    CHECK(std::get<Ask>(*got[7]).command == "status");
    const auto tls = std::get<TlsState>(*got[8]);
    CHECK(tls.ticket_keys == "keys");
    REQUIRE(tls.pairs.size() == 2);
    CHECK(tls.pairs[0].certificate == "A\n");
    CHECK(tls.pairs[0].key_file == "a.key");
    CHECK(tls.pairs[1].certificate_file.empty());
  }
  SECTION("for the master") {
    const std::string wire = encode(Ready{}) + encode(Beat{1'500, 42}) + encode(Draining{}) +
                             encode(Failed{std::string(max_failure_octets + 1, 'f')}) +
                             encode(Answer{7, "{}"});
    const auto got = decode_all(Side::master, wire, step);
    REQUIRE(got.size() == 5);
    CHECK(std::holds_alternative<Ready>(*got[0]));
    CHECK(std::get<Beat>(*got[1]).lag_us == 1'500);
    CHECK(std::get<Beat>(*got[1]).sessions == 42);
    CHECK(std::holds_alternative<Draining>(*got[2]));
    CHECK(std::get<Failed>(*got[3]).text == std::string(max_failure_octets, 'f'));
    CHECK(std::get<Answer>(*got[4]).number == 7);
    CHECK(std::get<Answer>(*got[4]).json == "{}");
  }
}

TEST_CASE("Decoder: refuses what its side does not receive, without waiting for the rest",
          "[daemon][protocol]") {
  struct Row {
    const char* why;
    Side side;
    std::string wire;
  };
  using namespace std::string_literals;
  const auto row = GENERATE(values<Row>({
      {"a worker's message to a worker", Side::worker, encode(Ready{})},
      {"a master's message to the master", Side::master, encode(Drain{})},
      {"an unknown type", Side::master, "\0\0\0\0\x63"s},
      {"type 0", Side::worker, "\0\0\0\0\0"s},
      {"octets where there are none", Side::master, "\1\0\0\0\x10"s},
      {"too few", Side::master, "\x08\0\0\0\x11"s},
      {"a bundle longer than any", Side::worker, "\xff\xff\xff\xff\2"s},
      {"a failure longer than any", Side::master, "\1\x40\0\0\x13"s},
      {"half a socket", Side::worker, "\x2c\0\0\0\1"s + std::string(44, '\0')},
      {"an answer without its number", Side::master, "\x07\0\0\0\x1c"s},
      {"an answer longer than any", Side::master, "\x09\0\x04\0\x1c"s},
      {"a command longer than any", Side::worker, "\x09\x10\0\0\x0c"s},
      {"a socket that is no descriptor", Side::worker, "\x08\0\0\0\3"s + std::string(8, '\xff')},
  }));
  CAPTURE(row.why);
  const auto got = decode_all(row.side, row.wire, 1);
  REQUIRE(got.size() == 1);
  REQUIRE_FALSE(got[0]);
  CHECK(got[0].error().code == Errc::malformed);
}

TEST_CASE("Decoder: needs the whole message", "[daemon][protocol]") {
  const std::string wire = encode(Hello{0, 1, 1, 1, 3, {4}, {0}});
  CHECK(decode_all(Side::worker, wire.substr(0, wire.size() - 1), 1).empty());
}

}  // namespace
}  // namespace postern::daemon
