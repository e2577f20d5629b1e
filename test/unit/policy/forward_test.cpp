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

TEST_CASE("forward.tls: a route has the mode and the authorities, but a name of its own",
          "[policy][forward][tls]") {
  const Bundle bundle = Bundle::of("postern.toml", "/etc/postern", good_with(R"([forward]
to = ["127.0.0.1:2526"]
tls = "verify"
tls_name = "mx.example.net"
tls_ca = "ca.pem"
[[forward.route]]
domains = ["a.example"]
to = ["localhost:24"]
[[forward.route]]
domains = ["b.example"]
to = ["127.0.0.1:25"]
tls = "may"
[[forward.route]]
domains = ["c.example"]
to = ["127.0.0.1:25"]
tls_name = "c.example"
tls_ca = "/c.pem"
)"));
  CHECK(authority_files(bundle) == Lines{"/etc/postern/ca.pem", "/c.pem"});
  const Loaded loaded = load_text(bundle.files.front().content);
  CHECK(loaded.lines() == Lines{});
  const Forward& forward = loaded.configuration.forward;
  CHECK(forward.tls == ForwardTls::verify);
  CHECK(forward.tls_name == "mx.example.net");
  CHECK(forward.tls_ca.text == "/etc/postern/ca.pem");
  REQUIRE(forward.routes.size() == 3);
  CHECK(forward.routes[0].tls == ForwardTls::verify);
  CHECK(forward.routes[0].tls_name.empty());
  CHECK(forward.routes[0].tls_ca.text == "/etc/postern/ca.pem");
  CHECK(forward.routes[1].tls == ForwardTls::may);
  CHECK(forward.routes[2].tls_name == "c.example");
  CHECK(forward.routes[2].tls_ca.text == "/c.pem");
}

TEST_CASE("forward.tls: verify needs a name to verify", "[policy][forward][tls]") {
  struct Row {
    const char* why;
    std::string keys;
    std::string says;  // in its line; empty: nothing
  };
  const auto row = GENERATE(values<Row>({
      {"an address has none", "to = [\"192.0.2.1:25\"]\ntls = \"verify\"\n",
       "forward.tls: 192.0.2.1:25 has no name"},
      {"nor has a socket", "to = [\"unix:/run/x\"]\ntls = \"verify\"\n",
       "forward.tls: unix:/run/x has no name"},
      {"it was given one", "to = [\"192.0.2.1:25\"]\ntls = \"verify\"\ntls_name = \"a.example\"\n",
       ""},
      {"nobody asks for it", "to = [\"192.0.2.1:25\"]\ntls = \"require\"\n", ""},
      {"what is none", "to = [\"192.0.2.1:25\"]\ntls = \"verify\"\ntls_name = \"a b\"\n",
       "forward.tls_name: 'a b' is not a host name"},
  }));
  CAPTURE(row.why);
  const Lines lines = load_text(good_with("[forward]\n" + row.keys)).lines();
  REQUIRE(lines.size() == (row.says.empty() ? 0 : 1));
  if (!lines.empty()) CHECK(lines[0].find(row.says) != std::string::npos);
}
