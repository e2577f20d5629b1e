// tarpit: answers ever more slowly to who makes mistakes.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using testing::Harness;

namespace {

// How long the reply to a command took, in whole seconds.
long seconds_of(Harness& h, const std::string& command) {
  const auto before = h.sim.now();
  h.client.command(command);
  return static_cast<long>(
      std::chrono::duration_cast<std::chrono::seconds>(h.sim.now() - before).count());
}

constexpr const char* unknown = "RCPT TO:<x@nowhere.example>";

void begin(Harness& h, const char* client = "192.0.2.1") {
  test::arrive(h, client);
  h.client.command("EHLO client.example");
  h.client.command("MAIL FROM:<a@b.example>");
}

}  // namespace

TEST_CASE("tarpit: from the third refusal on each reply waits longer", "[plugins][tarpit]") {
  Harness h;
  h.load("tarpit", "most = \"10s\"");
  begin(h);
  for (const long expected : {0, 0, 0, 2, 4, 8, 10, 10}) {
    CAPTURE(expected);
    CHECK(seconds_of(h, unknown) == expected);
  }
  CHECK(seconds_of(h, "NOOP") == 10);
  CHECK(seconds_of(h, "QUIT") == 0);
  CHECK(h.end() == "");
}

TEST_CASE("tarpit: unknown commands count", "[plugins][tarpit]") {
  Harness h;
  h.load("tarpit", "after = 1\nfactor = 1");
  begin(h);
  CHECK(seconds_of(h, "FROB") == 2);
  CHECK(seconds_of(h, "FROB") == 2);
  CHECK(h.end() == "");
}

TEST_CASE("tarpit: a message that is taken is forgiveness", "[plugins][tarpit]") {
  Harness h;
  h.load("tarpit", "after = 1");
  begin(h);
  CHECK(seconds_of(h, unknown) == 0);
  CHECK(seconds_of(h, "RCPT TO:<x@example.net>") == 2);
  CHECK(h.client.message().code == 250);
  CHECK(seconds_of(h, "MAIL FROM:<a@b.example>") == 0);
  CHECK(h.end() == "");
}

TEST_CASE("tarpit: clients that we relay for do not wait, and nobody waits for another",
          "[plugins][tarpit]") {
  Harness h;
  h.load("relay", "clients = [\"192.0.2.9\"]");
  h.load("badrcptto", "list = [\"bad@example.net\"]");
  h.load("tarpit", "after = 1");
  begin(h);
  CHECK(seconds_of(h, unknown) == 0);
  CHECK(seconds_of(h, unknown) == 2);
  h.client.close();
  begin(h, "192.0.2.2");
  CHECK(seconds_of(h, unknown) == 0);
  h.client.close();
  begin(h, "192.0.2.9");
  for (int i = 0; i < 3; ++i) CHECK(seconds_of(h, "FROB") == 0);
  CHECK(h.end() == "");
}

TEST_CASE("tarpit: a client that goes while it waits leaves nothing", "[plugins][tarpit]") {
  Harness h;
  h.load("tarpit", "after = 1\ndelay = \"30s\"");
  begin(h);
  h.client.command(unknown);
  h.client.send(std::string(unknown) + "\r\n");
  h.run_for(1s);
  h.client.close();
  h.run_for(1s);
  CHECK(h.end() == "");
}
