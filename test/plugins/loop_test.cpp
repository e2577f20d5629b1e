// loop: refuse what has made too many hops.
#include <fmt/format.h>

#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using testing::Harness;

namespace {

std::string hops(std::size_t received, std::size_t delivered, const std::string& body = {}) {
  std::string text;
  for (std::size_t i = 0; i < received; ++i)
    text += (i % 2 ? "Received: from a by b\r\n" : "RECEIVED: from a\r\n by b\r\n");
  for (std::size_t i = 0; i < delivered; ++i) text += "Delivered-To: x@example.net\r\n";
  return text + "Subject: s\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("loop: counts the hops of the header section, ours not among them", "[plugins][loop]") {
  struct Row {
    const char* why;
    const char* keys;
    std::string content;
    bool refused;
  };
  const auto row = GENERATE(values<Row>({
      {"none", "", hops(0, 0), false},
      {"one less than the default", "", hops(49, 0), false},
      {"as many as the default", "", hops(50, 0), true},
      {"of both kinds", "", hops(30, 20), true},
      {"as many as it is told", "most = 3", hops(2, 1), true},
      {"less than it is told", "most = 3", hops(1, 1), false},
      {"in the body they are text", "most = 3", hops(2, 0, "Received: from a\r\n"), false},
  }));
  CAPTURE(row.why);
  Harness h;
  h.load("loop", row.keys);
  test::Letter letter;
  letter.content = row.content;
  const test::Heard heard = test::whole_dialogue(h, letter);
  if (row.refused) CHECK(test::in_one_line(heard) == "message 554 5.4.6 Too many hops");
  CHECK(heard.code == (row.refused ? 554 : 250));
  CHECK(h.downstream.promised() == (row.refused ? 0 : 1));
  CHECK(h.end() == "");
}
