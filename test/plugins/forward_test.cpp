// forward: recipients whose mail goes to another server than [forward] names.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

namespace {

// Mail of other.example goes to Harness::second.
struct TwoServers {
  TwoServers() {
    h.recipients.add_domain("other.example");
    h.load("forward");
    h.domain("other.example", "[plugin.forward]\nto = [\"127.0.0.2:2526\"]\n");
    h.listen(Harness::second, second);
  }
  testing::ScriptedDownstream second;
  Harness h;
};

}  // namespace

TEST_CASE("forward: mail goes to the server that its recipient's domain names",
          "[plugins][forward]") {
  TwoServers servers;
  Harness& h = servers.h;
  test::arrive(h);
  CHECK(h.client.recipient("x@other.example").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(test::delivered_to(servers.second) == "<x@other.example> ");
  CHECK(test::delivered_to(h.downstream).empty());
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(test::delivered_to(h.downstream) == "<x@example.net> ");
  CHECK(h.end() == "");
}

TEST_CASE("forward: a recipient of another way comes with the next try", "[plugins][forward]") {
  const bool other_first = GENERATE(true, false);
  const std::string first = other_first ? "x@other.example" : "x@example.net";
  const std::string second = other_first ? "x@example.net" : "x@other.example";
  TwoServers servers;
  Harness& h = servers.h;
  test::arrive(h);
  CHECK(h.client.recipient(first).code == 250);
  CHECK(in_one_line(h.client.recipient(second)).substr(0, 9) == "450 4.5.3");
  CHECK(h.client.recipient("y" + first.substr(1)).code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(h.client.recipient(second).code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(test::delivered_to(other_first ? servers.second : h.downstream) ==
        "<" + first + "> <y" + first.substr(1) + "> ");
  CHECK(test::delivered_to(other_first ? h.downstream : servers.second) == "<" + second + "> ");
  CHECK(h.end() == "");
}

TEST_CASE("forward: a recipient that we refuse decides nothing about the way",
          "[plugins][forward]") {
  TwoServers servers;
  Harness& h = servers.h;
  h.load("badrcptto", "list = [\"bad@other.example\"]");
  test::arrive(h);
  CHECK(h.client.recipient("bad@other.example").code == 550);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(test::delivered_to(h.downstream) == "<x@example.net> ");
  CHECK(h.end() == "");
}

// The way is that of the first recipient who was asked about, though nobody is left on it: the
// client must come again for the others.
TEST_CASE("forward: a recipient that the server refuses decides nothing about the way",
          "[plugins][forward]") {
  TwoServers servers;
  Harness& h = servers.h;
  servers.second.settings().recipients["<gone@other.example>"] = "550 5.1.1 unknown\r\n";
  test::arrive(h);
  REQUIRE(in_one_line(h.client.recipient("gone@other.example")) == "550 5.1.1 unknown");
  const int code = h.client.recipient("x@example.net").code;
  CHECK(h.end() == "");
  CHECK(code == 250);
}

TEST_CASE("forward: the server's own words reach the client", "[plugins][forward]") {
  TwoServers servers;
  Harness& h = servers.h;
  servers.second.fail(
      {testing::Phase::end_of_data, testing::Fault::Kind::reply, "552 5.2.2 full\r\n"});
  test::arrive(h);
  CHECK(h.client.recipient("x@other.example").code == 250);
  CHECK(in_one_line(h.client.message()) == "552 5.2.2 full");
  CHECK(h.end() == "");
}

TEST_CASE("forward: the next server of the list is tried", "[plugins][forward]") {
  Harness h;
  testing::ScriptedDownstream second;
  h.load("forward", "to = [\"127.0.0.9:2526\", \"127.0.0.2:2526\"]");
  h.listen(Harness::second, second);
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(test::delivered_to(second) == "<x@example.net> ");
  CHECK(h.end() == "");
}

TEST_CASE("forward: a server that is not there defers", "[plugins][forward]") {
  Harness h;
  h.load("forward", "to = [\"127.0.0.9:2526\"]");
  test::arrive(h);
  CHECK(in_one_line(h.client.recipient("x@example.net")).substr(0, 9) == "451 4.4.1");
  CHECK(h.end() == "");
}
