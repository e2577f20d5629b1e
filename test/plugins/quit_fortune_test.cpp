// quit_fortune: a saying for those who still say HELO.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using testing::Harness;

namespace {

std::string leave(Harness& h, const std::string& greeting) {
  test::arrive(h);
  if (!greeting.empty()) REQUIRE(h.client.command(greeting).code == 250);
  const auto bye = h.client.command("QUIT");
  REQUIRE(bye.code == 221);
  return bye.text();
}

}  // namespace

TEST_CASE("quit_fortune: tells one after the other, to clients that said HELO",
          "[plugins][quit_fortune]") {
  Harness h;
  h.load("quit_fortune", "fortunes = [\"Errors are human\\nto err is too\", \"Second\"]");
  CHECK(leave(h, "HELO c.example") ==
        h.settings.hostname + " closing connection\n  / Errors are human\n  / to err is too");
  CHECK(leave(h, "HELO c.example") == h.settings.hostname + " closing connection\n  / Second");
  CHECK(leave(h, "HELO c.example") ==
        h.settings.hostname + " closing connection\n  / Errors are human\n  / to err is too");
  CHECK(h.end() == "");
}

TEST_CASE("quit_fortune: says nothing to others", "[plugins][quit_fortune]") {
  Harness h;
  h.load("quit_fortune", "fortunes = [\"A saying\"]");
  CHECK(leave(h, "EHLO c.example") == "2.0.0 Bye");
  CHECK(leave(h, "") == "2.0.0 Bye");
  test::arrive(h);
  CHECK(h.client.command("HELO c.example").code == 250);
  CHECK(h.client.command("EHLO c.example").code == 250);
  CHECK(h.client.command("QUIT").text() == "2.0.0 Bye");
  CHECK(h.end() == "");
}
