// shed: networks that make too many errors are answered before anything else.
#include <postern/store/state.hpp>

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX's
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using test::Letter;
using testing::Harness;

namespace {

constexpr const char* small = "threshold = 3\nwithin = \"10m\"\nban_for = \"1h\"";
constexpr const char* shed_now =
    "554 5.7.1 Too many errors from 192.0.2.0/24: try again in 60 minutes";

// One session that asks for `n` recipients who do not exist.
void guess(Harness& h, int n, const std::string& client = "192.0.2.1") {
  h.client.connect(client);
  REQUIRE(h.client.greeting().code == 220);
  for (int i = 0; i < n; ++i)
    REQUIRE(h.client.recipient("guess" + std::to_string(i) + "@t.example").code == 550);
  h.client.close();
  h.run_for(1s);
}

// All of example.net is taken; of t.example only x.
void use_table(Harness& h) { h.load("rcpt_ok", "recipients = [\"x@t.example\"]"); }

std::string greeting(Harness& h, const std::string& client = "192.0.2.1") {
  const std::string heard = in_one_line(test::arrive(h, client));
  h.client.close();
  h.run_for(1s);
  return heard.substr(0, 4) == "220 " ? "welcome" : heard;
}

Letter letter_from(const std::string& client) {
  Letter letter;
  letter.client = client;
  return letter;
}

bool is_taken(Harness& h, const Letter& letter = {}) {
  const bool taken = test::whole_dialogue(h, letter).code == 250;
  h.client.close();
  h.run_for(1s);
  return taken;
}

}  // namespace

TEST_CASE("shed: from the threshold on a network is answered at connect", "[plugins][shed]") {
  Harness h;
  h.load("shed", small);
  use_table(h);
  guess(h, 2);
  CHECK(greeting(h) == "welcome");
  guess(h, 1, "192.0.2.77");
  CHECK(greeting(h) == shed_now);
  CHECK(greeting(h, "192.0.2.200").substr(0, 4) == "554 ");
  CHECK(greeting(h, "192.0.3.1") == "welcome");
  h.run_for(59min);
  CHECK(greeting(h) == "554 5.7.1 Too many errors from 192.0.2.0/24: try again in 1 minute");
  h.run_for(1min);
  CHECK(greeting(h) == "welcome");
  guess(h, 2);  // counted anew
  CHECK(greeting(h) == "welcome");
  CHECK(h.end() == "");
}

TEST_CASE("shed: who is shed costs one read and no update", "[plugins][shed]") {
  Harness h;
  h.load("shed", small);
  use_table(h);
  guess(h, 3);
  const std::size_t reads = h.store.reads(), updates = h.store.updates();
  for (int i = 0; i < 10; ++i) CHECK(greeting(h) == shed_now);
  CHECK(h.store.reads() == reads + 10);
  CHECK(h.store.updates() == updates);
  CHECK(h.end() == "");
}

TEST_CASE("shed: points are forgotten", "[plugins][shed]") {
  Harness h;
  h.load("shed", small);
  use_table(h);
  guess(h, 2);
  h.run_for(12min);
  guess(h, 2);
  CHECK(greeting(h) == "welcome");
  CHECK(h.end() == "");
}

TEST_CASE("shed: which clients are one", "[plugins][shed]") {
  struct Row {
    const char* why;
    const char* networks;
    const char* guesser;
    const char* other;
    bool same;
  };
  const auto row = GENERATE(values<Row>({
      {"a /24", "", "192.0.2.1", "192.0.2.255", true},
      {"another /24", "", "192.0.2.1", "192.0.1.1", false},
      {"a /30", "networks = { v4 = 30 }", "192.0.2.1", "192.0.2.3", true},
      {"another /30", "networks = { v4 = 30 }", "192.0.2.1", "192.0.2.4", false},
      {"a /8", "networks = { v4 = 8 }", "192.0.2.1", "192.255.0.1", true},
      {"one host", "networks = { v4 = 32 }", "192.0.2.1", "192.0.2.0", false},
      {"a /64", "", "2001:db8::1", "2001:db8::ffff:1", true},
      {"another /64", "", "2001:db8::1", "2001:db8:0:1::1", false},
      {"a /56", "networks = { v6 = 56 }", "2001:db8::1", "2001:db8:0:ff::1", true},
      {"another /56", "networks = { v6 = 56 }", "2001:db8::1", "2001:db8:0:100::1", false},
  }));
  CAPTURE(row.why);
  Harness h;
  h.load("shed", std::string("threshold = 1\n") + row.networks);
  use_table(h);
  guess(h, 1, row.guesser);
  CHECK(greeting(h, row.guesser).starts_with("554 "));
  CHECK(greeting(h, row.other).starts_with("554 ") == row.same);
  CHECK(h.end() == "");
}

TEST_CASE("shed: a session that is open hears it at its next RCPT", "[plugins][shed]") {
  Harness h;
  h.load("shed", small);
  use_table(h);
  h.client.connect();
  REQUIRE(h.client.greeting().code == 220);
  for (int i = 0; i < 3; ++i)
    CHECK(h.client.recipient("guess" + std::to_string(i) + "@t.example").code == 550);
  CHECK(in_one_line(h.client.recipient("x@t.example")) ==
        "550 5.7.1 Too many errors from 192.0.2.0/24: try again in 60 minutes");
  CHECK(h.client.rest().empty());
  CHECK(h.end() == "");
}

TEST_CASE("shed: mode defer says it as 421", "[plugins][shed]") {
  Harness h;
  h.load("shed", std::string(small) + "\nmode = \"defer\"");
  use_table(h);
  guess(h, 3);
  CHECK(greeting(h) == "421 4.7.1 Too many errors from 192.0.2.0/24: try again in 60 minutes");
  CHECK(h.end() == "");
}

TEST_CASE("shed: what counts, and how much", "[plugins][shed]") {
  struct Row {
    const char* why;
    const char* keys;
    int wrong_commands;
    int senders;
    bool shed;
  };
  const auto row = GENERATE(values<Row>({
      {"commands count", "threshold = 3", 3, 0, true},
      {"two are fewer than three", "threshold = 3", 2, 0, false},
      {"... unless they weigh more", "threshold = 3\nweights = { command = 2 }", 2, 0, true},
      {"... or nothing", "threshold = 3\nweights = { command = 0 }", 9, 0, false},
      {"senders do not", "threshold = 3", 0, 3, false},
      {"... unless they weigh", "threshold = 3\nweights = { sender = 1 }", 0, 3, true},
  }));
  CAPTURE(row.why);
  Harness h;
  h.load("shed", row.keys);
  h.load("badmailfrom", "list = [\"bad@b.example\"]");
  REQUIRE(test::arrive(h).code == 220);
  REQUIRE(h.client.command("EHLO client.example").code == 250);
  for (int i = 0; i < row.wrong_commands; ++i)
    REQUIRE(h.client.command(i % 2 ? "FROB" : "DATA").code >= 500);
  for (int i = 0; i < row.senders; ++i)
    REQUIRE(h.client.command("MAIL FROM:<bad@b.example>").code == 550);
  h.client.close();
  h.run_for(1s);
  CHECK((greeting(h) != "welcome") == row.shed);
  CHECK(h.end() == "");
}

TEST_CASE("shed: early talk counts, refused for it or not", "[plugins][shed]") {
  const std::string mode = GENERATE("on", "observe");
  CAPTURE(mode);
  Harness h;
  h.load("shed", "threshold = 5");
  h.load("earlytalker", "mode = \"" + mode + "\"");
  h.client.connect();
  h.client.send("EHLO client.example\r\n");
  CHECK(h.client.greeting().code == (mode == "on" ? 554 : 220));
  if (mode == "observe") CHECK(h.client.reply().code == 250);
  h.client.close();
  h.run_for(1s);
  CHECK(greeting(h).starts_with("554 "));
  CHECK(h.end() == "");
}

TEST_CASE("shed: what is deferred does not count", "[plugins][shed]") {
  Harness h;
  h.load("shed", small);
  h.load("greylisting");
  for (int i = 0; i < 5; ++i) CHECK_FALSE(is_taken(h));
  CHECK(greeting(h) == "welcome");
  CHECK(h.end() == "");
}

TEST_CASE("shed: accepted mail makes up for errors, but gives no licence", "[plugins][shed]") {
  Harness h;
  h.load("shed", "threshold = 3\nweights = { accepted = 2 }");
  use_table(h);
  guess(h, 1);
  for (int i = 0; i < 2; ++i) CHECK(is_taken(h));
  guess(h, 5);  // six of seven
  CHECK(greeting(h) == "welcome");
  guess(h, 1);
  CHECK(greeting(h) != "welcome");
  h.run_for(2h);
  guess(h, 1);
  for (int i = 0; i < 50; ++i) CHECK(is_taken(h));
  guess(h, 28);  // 29: tenfold is the most
  CHECK(greeting(h) == "welcome");
  guess(h, 1);
  CHECK(greeting(h) != "welcome");
  CHECK(h.end() == "");
}

TEST_CASE("shed: good mail costs no update", "[plugins][shed]") {
  Harness h;
  h.load("shed");
  for (int i = 0; i < 3; ++i) CHECK(is_taken(h));
  CHECK(h.store.updates() == 0);
  CHECK(h.end() == "");
}

TEST_CASE("shed: clients that may relay are neither counted nor shed", "[plugins][shed]") {
  Harness h;
  h.load("shed", small);
  h.load("relay", "clients = [\"192.0.2.9\"]");
  h.load("badrcptto", "list = [\"@bad.example\"]");
  use_table(h);
  h.client.connect("192.0.2.9");
  REQUIRE(h.client.greeting().code == 220);
  for (int i = 0; i < 9; ++i) REQUIRE(h.client.recipient("x@bad.example").code == 550);
  h.client.close();
  h.run_for(1s);
  CHECK(greeting(h) == "welcome");
  guess(h, 3);
  CHECK(greeting(h) == shed_now);
  CHECK(is_taken(h, letter_from("192.0.2.9")));
  CHECK(greeting(h, "192.0.2.99") == shed_now);
  CHECK(h.end() == "");
}

TEST_CASE("shed: exempt clients are let in", "[plugins][shed]") {
  Harness h;
  h.load("shed", std::string(small) + "\nexempt = { clients = [\"192.0.2.128/25\"] }");
  use_table(h);
  guess(h, 3);
  CHECK(greeting(h) == shed_now);
  CHECK(is_taken(h, letter_from("192.0.2.200")));
  CHECK(h.end() == "");
}

// Whatever else asks about recipients, is asked no more.
TEST_CASE("shed: where all are unknown nobody can tell who exists", "[plugins][shed]") {
  Harness h;
  h.load("shed", std::string(small) + "\nanswer = \"unknown\"");
  h.load("dnsbl", "zones = [\"bl.example\"]");
  h.load("badrcptto", "list = [\"bad@t.example\"]");
  h.load("bounce_flood");
  h.domain("own.example", "[plugin.dnsbl]\nzones = [\"other.example\"]\n");
  h.recipients.add_domain("own.example");
  h.pool.verify.emplace();
  h.forward();
  use_table(h);
  guess(h, 3);
  CHECK(greeting(h) == "welcome");
  h.client.connect();
  REQUIRE(h.client.greeting().code == 220);
  REQUIRE(h.client.recipient("first@t.example").code == 550);

  struct Cost {
    std::size_t reads, updates, names, downstreams;
    auto operator<=>(const Cost&) const = default;
  };
  const auto so_far = [&] {
    return Cost{h.store.reads(), h.store.updates(), h.dns.asked(), h.downstream.sessions().size()};
  };
  const char* to = GENERATE("x@t.example", "nobody@t.example", "bad@t.example", "a@example.net",
                            "a@own.example", "a@foreign.example", "\"quoted x\"@t.example");
  CAPTURE(to);
  const Cost before = so_far();
  const testing::WireReply reply = h.client.recipient(to);
  const Cost after = so_far();
  CHECK(reply.code == 550);
  CHECK(reply.lines == std::vector<std::string>{"5.1.1 No such user here"});
  CHECK(after.reads == before.reads + 1);
  CHECK(after.updates == before.updates);
  CHECK(after.names == before.names);
  CHECK(after.downstreams == before.downstreams);
  h.client.close();
  CHECK(h.end() == "");
}

TEST_CASE("shed: the record tells why somebody is unknown", "[plugins][shed]") {
  Harness h;
  h.load("shed", std::string(small) + "\nanswer = \"unknown\"");
  use_table(h);
  guess(h, 4);
  REQUIRE(test::arrive(h).code == 220);
  for (int i = 0; i < 2; ++i) CHECK(h.client.recipient("x@t.example").code == 550);
  h.client.close();
  h.run_for(1s);
  CHECK(test::contains(
      h.log.records.back(),
      R"("facts":[{"fact":"shed.ban","by":"shed","network":"192.0.2.0/24","points":3}])"));
  CHECK(h.end() == "");
}

TEST_CASE("shed: an administrator's erase ends it", "[plugins][shed]") {
  Harness h;
  h.load("shed", small);
  use_table(h);
  guess(h, 3);
  CHECK(greeting(h) == shed_now);
  REQUIRE(store::State(h.store, "shed").erase("ban 192.0.2.0/24").has_value());
  CHECK(greeting(h) == "welcome");
  CHECK(h.end() == "");
}

TEST_CASE("shed: what another version wrote counts as nothing", "[plugins][shed]") {
  const std::string content = GENERATE("", "x", "1767225600", "1767225600 ", "1 2x", "-");
  CAPTURE(content);
  Harness h;
  h.load("shed");
  REQUIRE(store::State(h.store, "shed").put("ban 192.0.2.0/24", content, 1h).has_value());
  CHECK(greeting(h) == "welcome");
  CHECK(h.end() == "");
}

TEST_CASE("shed: a store that fails is on_error's case", "[plugins][shed]") {
  const std::string on_error = GENERATE("", "on_error = \"defer\"");
  CAPTURE(on_error);
  Harness h;
  h.load("shed", on_error);
  h.store.fail_with(Errc::no_space);
  CHECK(greeting(h) ==
        (on_error.empty() ? "welcome" : "421 4.3.0 Temporary problem, please try again later"));
  CHECK(h.end() == "");
}

TEST_CASE("shed: writes what nft can load", "[plugins][shed]") {
  std::string directory = "/tmp/postern-shed-XXXXXX";
  REQUIRE(mkdtemp(directory.data()) != nullptr);
  const std::string path = directory + "/shed.nft";
  {
    Harness h;
    h.load("shed", "name = \"shed:nets\"\nthreshold = 1\nnftables = \"" + path + "\"");
    h.load("relay", "clients = [\"203.0.113.9\"]");
    use_table(h);
    CHECK(is_taken(h, letter_from("203.0.113.9")));
    guess(h, 1);
    guess(h, 1, "2001:db8::1");
    guess(h, 1, "203.0.113.1");  // shared by a client that may relay
    h.tick();
    h.run_for(1s);
    CHECK(h.end() == "");
  }  // waits for the file
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  CHECK(content.str() ==
        "add table inet postern\n"
        "add set inet postern shed_nets_v4 { type ipv4_addr; flags interval, timeout; }\n"
        "flush set inet postern shed_nets_v4\n"
        "add element inet postern shed_nets_v4 { 192.0.2.0/24 timeout 3597s }\n"
        "add set inet postern shed_nets_v6 { type ipv6_addr; flags interval, timeout; }\n"
        "flush set inet postern shed_nets_v6\n"
        "add element inet postern shed_nets_v6 { 2001:db8::/64 timeout 3598s }\n");
  // In a network of its own, and again: it replaces what is there.
  if (geteuid() == 0 && access("/usr/sbin/nft", X_OK) == 0)
    CHECK(std::system(fmt::format("unshare -n sh -c 'nft -f {0} && nft -f {0}'", path).c_str()) ==
          0);
  else
    WARN("nft is not installed, or we are not root: the file was not loaded");
  CHECK(unlink(path.c_str()) == 0);
  CHECK(rmdir(directory.c_str()) == 0);
}

TEST_CASE("shed: guessed passwords count", "[plugins][shed]") {
  const bool counted = GENERATE(true, false);
  CAPTURE(counted);
  Harness h;
  h.settings.auth_without_tls = true;
  h.list("passwords", "anna:correct horse\n");
  h.load("shed", counted ? "threshold = 2" : "threshold = 2\nweights = { login = 0 }");
  h.load("flat_file", "file = \"passwords\"");
  REQUIRE(test::arrive(h).code == 220);
  REQUIRE(h.client.command("EHLO client.example").code == 250);
  for (int i = 0; i < 2; ++i)
    REQUIRE(h.client.command("AUTH PLAIN AGFubmEAZ3Vlc3M=").code == 535);  // "guess"
  h.client.close();
  h.run_for(1s);
  CHECK((greeting(h) == "welcome") == !counted);
  CHECK(h.end() == "");
}
