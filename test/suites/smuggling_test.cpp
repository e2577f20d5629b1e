// The suite `smuggling`: look-alikes of the end of data. The same through real sockets is a matter
// of the session's tests; here the codec alone is held to it.
#include <postern/smtp/dot_codec.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "catch.hpp"
#include "suite_file.hpp"

using namespace postern::smtp;

namespace {

const std::string true_end = "\r\n.\r\n";

struct LookAlike {
  std::string name;
  std::string octets;
};

std::vector<LookAlike> look_alikes() {
  std::vector<LookAlike> rows;
  const auto text = postern::suites::suite_file("smuggling/end-of-data.json");
  if (!text) return rows;
  for (const auto& row : nlohmann::json::parse(*text)) {
    LookAlike found{row.at("name"), {}};
    const std::string hex = row.at("bytes");
    for (std::size_t at = 0; at < hex.size(); at += 3)
      found.octets += static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
    rows.push_back(std::move(found));
  }
  return rows;
}

// What the client writes behind 354: a first body, the sequence, a hidden transaction, the true
// end.
std::string wire_with(const std::string& sequence) {
  return "From: a\r\nSubject: first\r\n\r\nbody" + sequence +
         "MAIL FROM:<x@smuggled.example>\r\nRCPT TO:<y>\r\nDATA\r\nFrom: x\r\n\r\nsecond" +
         true_end;
}

struct Received {
  std::string body;
  std::size_t consumed = 0;
  bool done = false;
  bool refused = false;
};

Received receive(const std::string& wire, std::size_t step, BareNewline policy) {
  BodyDecoder decoder(policy);
  Received received;
  while (!decoder.done() && received.consumed < wire.size()) {
    decoder.feed(std::string_view(wire).substr(received.consumed, step), received.body);
    received.consumed += decoder.consumed();
  }
  received.done = decoder.done();
  received.refused = decoder.must_be_refused();
  return received;
}

std::string forward(const std::string& body, std::size_t step) {
  DotEncoder encoder;
  std::string wire;
  for (std::size_t at = 0; at < body.size(); at += step)
    encoder.encode(std::string_view(body).substr(at, step), wire);
  encoder.finish(wire);
  return wire;
}

// Whether `wire` holds `octets` anywhere but inside the end of data at its end.
bool holds_before_the_end(const std::string& wire, const std::string& octets) {
  return wire.find(octets) < wire.size() - true_end.size();
}

}  // namespace

TEST_CASE("smuggling: one message comes out, or none", "[suite][smuggling]") {
  const auto rows = look_alikes();
  for (const LookAlike& row : rows) {
    const std::string wire = wire_with(row.octets);
    for (const BareNewline policy : {BareNewline::reject, BareNewline::normalize}) {
      for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{5}, wire.size()}) {
        CAPTURE(row.name, step, policy == BareNewline::reject);
        const Received received = receive(wire, step, policy);
        REQUIRE(received.done);
        if (row.octets == true_end) {
          CHECK_FALSE(received.refused);
          CHECK(wire.substr(received.consumed, 4) == "MAIL");
        } else {
          CHECK(received.consumed == wire.size());  // the hidden commands are content
          CHECK((received.refused || policy == BareNewline::normalize));
        }
        if (received.refused) continue;
        const std::string forwarded = forward(received.body, step);
        CHECK(forwarded.substr(forwarded.size() - true_end.size()) == true_end);
        for (const LookAlike& other : rows) {
          CAPTURE(other.name);
          CHECK_FALSE(holds_before_the_end(forwarded, other.octets));
        }
      }
    }
  }
}

// A body that did not come through the decoder: a chunk of BDAT, a field that a plugin added.
TEST_CASE("smuggling: the encoder alone lets no look-alike out", "[suite][smuggling]") {
  const auto rows = look_alikes();
  for (const LookAlike& row : rows) {
    if (row.octets.find('\0') != std::string::npos) continue;  // a NUL is content, refused before
    for (const std::size_t step : {std::size_t{1}, std::size_t{1000}}) {
      const std::string forwarded = forward(wire_with(row.octets), step);
      for (const LookAlike& other : rows) {
        CAPTURE(row.name, other.name);
        CHECK_FALSE(holds_before_the_end(forwarded, other.octets));
      }
    }
  }
}
