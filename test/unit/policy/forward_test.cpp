// [forward]: servers with weights and sockets, routes of domains.
#include <string>
#include <vector>

#include "catch.hpp"
#include "files_in_memory.hpp"

using namespace postern;
using namespace postern::policy;
using namespace std::chrono_literals;

TEST_CASE("forward.to: takes sockets and weights", "[policy][forward]") {
  const Loaded loaded = load_text(good_with(R"([forward]
to = ["unix:run/lmtp", { address = "127.0.0.1:24", weight = 3 }, { address = "unix:/x" }]
protocol = "lmtp"
)"));
  CHECK(loaded.lines() == Lines{});
  const Endpoints& to = loaded.configuration.forward.to;
  REQUIRE(to.servers.size() == 3);
  CHECK(to.servers[0].address.text() == "unix:/etc/postern/run/lmtp");
  CHECK(to.servers[0].weight == 0);
  CHECK(to.servers[1].address.text() == "127.0.0.1:24");
  CHECK(to.servers[1].weight == 3);
  CHECK(to.servers[2].address.path == "/x");
}

TEST_CASE("forward.route: has what [forward] has but for what it says", "[policy][forward]") {
  const Loaded loaded = load_text(good_with(R"([[forward.route]]
domains = ["a.example", ".a.example"]
to = ["127.0.0.1:24"]
protocol = "lmtp"
timeouts = { connect = "1s" }
[[forward.route]]
domains = ["b.example"]
maildir = "b"
[forward]
to = ["127.0.0.1:2526"]
identity = "xforward"
max_connections = 7
timeouts = { connect = "2s", final = "3s" }
verify_recipients = true
)"));
  CHECK(loaded.lines() == Lines{});
  const Forward& forward = loaded.configuration.forward;
  REQUIRE(forward.routes.size() == 2);
  const ForwardRoute& a = forward.routes[0];
  CHECK(a.domains.size() == 2);
  CHECK(a.to.names == Lines{"127.0.0.1:24"});
  CHECK(a.protocol == ForwardProtocol::lmtp);
  CHECK(a.identity == Identity::xforward);
  CHECK(a.max_connections == 7);
  CHECK(a.verify_recipients);
  CHECK(a.timeouts.connect == 1s);
  CHECK(a.timeouts.final == 3s);
  const ForwardRoute& b = forward.routes[1];
  CHECK(b.to.names.empty());
  CHECK(b.maildir.text == "/etc/postern/b");
  CHECK(b.protocol == ForwardProtocol::smtp);
  CHECK(forward.protocol == ForwardProtocol::smtp);
}

TEST_CASE("forward.route: its mistakes are told with their places", "[policy][forward]") {
  struct Row {
    std::string block;
    std::string line;
  };
  const auto row = GENERATE(values<Row>({
      {"to = [\"127.0.0.1:25\"]",
       "8:1: forward.route.domains: is missing; expected a list, each a domain"},
      {"domains = [\"a.example\"]",
       "8:1: forward.route: neither to nor maildir; set to = [\"127.0.0.1:2526\"] or maildir = "
       "\"PATH\""},
      {"domains = [\"a.example\"]\nto = [\"127.0.0.1:25\"]\nmaildir = \"x\"",
       "11:1: forward.route.maildir: to and maildir exclude each other; keep one"},
      {"domains = [\"a.example\"]\nto = [\"127.0.0.1:2525\"]",
       "10:6: forward.route.to: 127.0.0.1:2525 is where we listen ourselves; messages would go in "
       "circles"},
      {"domains = [\"a.example\", \"a.example\"]\nto = [\"127.0.0.1:25\"]",
       "8:1: forward.route.domains: a.example already has a route, in postern.toml:8; remove one"},
      {"domains = [\"a.example\"]\nto = [\"127.0.0.1:25\"]\nkeep_idel = \"1s\"",
       "11:1: forward.route.keep_idel: no such key; did you mean 'keep_idle'?"},
      {"domains = [\"a.example\"]\nto = [\"127.0.0.1:25\"]\nverify = { senders = [\"x\"] }",
       "11:23: forward.route.verify.senders: 'x' is neither \"<>\" nor a mailbox"},
  }));
  CAPTURE(row.block);
  CHECK(lines_of(good_with("[forward]\nto = [\"127.0.0.1:2526\"]\n[[forward.route]]\n" + row.block +
                           "\n")) == Lines{"postern.toml:" + row.line});
}
