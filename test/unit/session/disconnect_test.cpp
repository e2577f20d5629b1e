// A client that goes at any octet of a session leaves nothing behind.
#include <string>

#include "catch.hpp"
#include "support/client.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::World;

namespace {

const std::string reference =
    "EHLO c.example\r\nMAIL FROM:<a@b.example> SIZE=20\r\nRCPT TO:<x@example.net>\r\n"
    "RCPT TO:<y@example.net>\r\nDATA\r\na: b\r\n\r\n..c\r\n.\r\nRSET\r\n"
    "MAIL FROM:<c@d.example>\r\nRCPT TO:<x@example.net>\r\nDATA\r\na: b\r\n\r\nd\r\n.\r\nQUIT\r\n";
const std::string first_end = "..c\r\n.\r\n";

enum class Way { closes, resets, half_closes };

void go(Client& client, Way way) {
  switch (way) {
    case Way::closes:
      return client.close();
    case Way::resets:
      return client.reset();
    case Way::half_closes:
      return client.half_close();
  }
}

}  // namespace

TEST_CASE("Session: a client that goes at any octet leaves nothing", "[session][disconnect]") {
  const Way way = GENERATE(Way::closes, Way::resets, Way::half_closes);
  const bool to_maildir = GENERATE(false, true);
  const net::Duration latency = GENERATE(net::Duration(0), net::Duration(7ms));
  const auto end_of_first = reference.find(first_end) + first_end.size();
  for (std::size_t sent = 0; sent <= reference.size(); ++sent) {
    World world(sent, {.latency = latency});
    world.settings.memory_octets = 10;
    world.listen();
    if (to_maildir)
      world.deliver_to_maildir();
    else
      world.forward();
    {
      Client client(world);
      const bool at_once = sent % 2 == 0;
      client.send(reference.substr(0, sent));
      if (!at_once) world.sim.run_for(20ms);
      go(client, way);
      world.sim.run_for(5s);
      client.close();
    }
    const std::string left = world.end();
    std::size_t whole = 0;
    if (to_maildir)
      whole = world.files.tree().size();
    else
      whole = world.downstream.promised();
    const bool possible = whole <= (sent == reference.size() ? 2u : sent >= end_of_first ? 2u : 0u);
    if (left.empty() && possible) continue;
    CAPTURE(sent, static_cast<int>(way), to_maildir);
    CHECK(left == "");
    CHECK(possible);
  }
}
