// The suite `smuggling`, end-to-end: what a client sends behind 354, and what the downstream gets.
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

#include "catch.hpp"
#include "suite_file.hpp"
#include "support/client.hpp"

using namespace postern;
using namespace std::chrono_literals;

namespace {

const std::string true_end = "\r\n.\r\n";
const std::string envelope = "MAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\nDATA\r\n";
const std::string hidden =
    "MAIL FROM:<x@smuggled.example>\r\nRCPT TO:<y@example.net>\r\nDATA\r\nFrom: x\r\n\r\nsecond";

struct LookAlike {
  std::string name;
  std::string octets;
};

std::vector<LookAlike> look_alikes() {
  std::vector<LookAlike> rows;
  const auto text = suites::suite_file("smuggling/end-of-data.json");
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

// Every look-alike has a bare CR, a bare LF or a NUL: where there is none of them, there is no
// look-alike.
bool is_clean(const std::string& content) {
  for (std::size_t at = 0; at < content.size(); ++at) {
    if (content[at] == '\0') return false;
    if (content[at] == '\n' && (at == 0 || content[at - 1] != '\r')) return false;
    if (content[at] == '\r' && (at + 1 == content.size() || content[at + 1] != '\n')) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("smuggling: through a session one transaction comes out, or none",
          "[suite][smuggling][line:1]") {
  const auto rows = look_alikes();
  const auto policy = GENERATE(smtp::BareNewline::reject, smtp::BareNewline::normalize);
  const auto pieces = GENERATE(testing::Pieces::whole, testing::Pieces::single);
  const bool waits = GENERATE(true, false);  // for 354
  for (const LookAlike& row : rows) {
    CAPTURE(row.name, policy == smtp::BareNewline::reject, pieces == testing::Pieces::single,
            waits);
    test::World world;
    world.settings.bare_newline = policy;
    world.listen();
    world.forward();
    std::string heard;
    {
      test::Client client(world, {.pieces = pieces});
      client.say("EHLO c.example\r\n", 5s);
      const std::string body = "From: a\r\n\r\nbody" + row.octets + hidden + true_end + "QUIT\r\n";
      heard = client.say(waits ? envelope : envelope + body, 5s);
      if (waits) heard += ", " + client.say(body, 5s);
    }
    CHECK(world.end() == "");
    const std::string promised = "250 2.1.0, 250 2.0.0, 354, ";
    REQUIRE(heard.substr(0, promised.size()) == promised);
    heard.erase(0, promised.size());
    const auto& ledger = world.downstream.ledger();
    if (row.octets == true_end) {  // two honest transactions
      CHECK(heard == "250 2.0.0, 250 2.1.0, 250 2.0.0, 354, 250 2.0.0, 221 2.0.0");
      CHECK(ledger.size() == 2);
      continue;
    }
    const bool accepted = heard == "250 2.0.0, 221 2.0.0";
    if (!accepted) {
      CHECK(heard[0] == '5');
      CHECK(heard.ends_with(", 221 2.0.0"));
    }
    CHECK((accepted || policy == smtp::BareNewline::reject ||
           row.octets.find('\0') != std::string::npos));
    CHECK(ledger.size() == (accepted ? 1u : 0u));
    for (const auto& delivery : ledger) {
      CHECK(delivery.complete);
      CHECK(delivery.reverse_path == "<a@b.example>");
      CHECK(delivery.content.find("From: x\r\n\r\nsecond\r\n") != std::string::npos);
      CHECK(is_clean(delivery.content));
    }
    for (const auto& session : world.downstream.sessions())
      for (const std::string& line : session.commands)
        CHECK(line.find("smuggled") == std::string::npos);
  }
}
