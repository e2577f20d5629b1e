// hosts_allow: who may connect, and how often at the same time.
#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

namespace {

using Clients = std::vector<std::unique_ptr<testing::HarnessClient>>;

testing::WireReply connect(Harness& h, Clients& clients, const std::string& address) {
  clients.push_back(std::make_unique<testing::HarnessClient>(h));
  clients.back()->connect(address);
  return clients.back()->greeting();
}

}  // namespace

TEST_CASE("hosts_allow: the first line that holds the client counts", "[plugins][hosts_allow]") {
  struct Row {
    const char* client;
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"203.0.113.7", "554 5.7.1 Mail from this network is not wanted"},
      {"203.0.113.9", "220"},  // stands before
      {"198.51.100.1", "421 4.7.1 Come back later"},
      {"198.51.100.200", "554 5.7.1 Your address is not welcome here"},
      {"192.0.2.1", "220"},  // a word that is none, DECLINED, and what stands nowhere
      {"192.0.2.2", "220"},
      {"192.0.2.3", "220"},
      {"2001:db8::1", "554 5.7.1 Nor IPv6"},
  }));
  CAPTURE(row.client);
  Harness h;
  h.list("hosts_allow",
         "# qpsmtpd's\n"
         "203.0.113.9 OK\n"
         "203.0.113.0/24 DENY Mail from this network is not wanted\n"
         "198.51.100.1 DENYSOFT_DISCONNECT Come back later\n"
         "198.51.100. deny\n"
         "192.0.2.1 DENI typo\n"
         "192.0.2.2 DECLINED\n"
         "2001:db8::/32 DENY_DISCONNECT Nor IPv6\n");
  h.load("hosts_allow", "file = \"hosts_allow\"");
  const auto reply = test::arrive(h, row.client);
  CHECK(in_one_line(reply).substr(0, std::string(row.heard).size()) == row.heard);
  CHECK(h.client.connected());
  h.client.close();
  CHECK(h.end() == "");
  bool told = false;
  for (const std::string& line : h.log.lines) told |= test::contains(line, "behind 192.0.2.1");
  CHECK(told == (std::string(row.client) == "192.0.2.1"));
}

TEST_CASE("hosts_allow: bare addresses are refused, unless a line before lets them in",
          "[plugins][hosts_allow]") {
  Harness h;
  h.list("ips", "192.0.2.1\n198.51.100.1\n");  // what is in a directory comes so
  h.load("hosts_allow", "list = [\"198.51.100.1 OK\"]\ndeny_file = \"ips\"");
  CHECK(in_one_line(test::arrive(h)) == "554 5.7.1 Your address is not welcome here");
  CHECK(test::arrive(h, "192.0.2.2").code == 220);
  CHECK(test::arrive(h, "198.51.100.1").code == 220);
  CHECK(h.end() == "");
}

TEST_CASE("hosts_allow: a client has so many connections, and those that end make room",
          "[plugins][hosts_allow]") {
  const std::string how = GENERATE("close", "reset", "quit");
  CAPTURE(how);
  Harness h;
  h.load("hosts_allow", "per_client = 2");
  Clients clients;
  CHECK(connect(h, clients, "192.0.2.1").code == 220);
  CHECK(connect(h, clients, "192.0.2.1").code == 220);
  CHECK(connect(h, clients, "192.0.2.2").code == 220);
  CHECK(in_one_line(connect(h, clients, "192.0.2.1")) ==
        "421 4.7.0 Too many connections from 192.0.2.1, try again later");
  if (how == "close") clients.front()->close();
  if (how == "reset") clients.front()->reset();
  if (how == "quit") CHECK(clients.front()->command("QUIT").code == 221);
  h.run_for(std::chrono::seconds(1));
  CHECK(connect(h, clients, "192.0.2.1").code == 220);
  CHECK(connect(h, clients, "192.0.2.1").code == 421);
  clients.clear();
  CHECK(h.end() == "");
}

TEST_CASE("hosts_allow: who shares the first 64 bits of an IPv6 address is one client",
          "[plugins][hosts_allow]") {
  Harness h;
  h.load("hosts_allow", "per_client = 1");
  Clients clients;
  CHECK(connect(h, clients, "2001:db8::1").code == 220);
  CHECK(connect(h, clients, "2001:db8::2").code == 421);
  CHECK(connect(h, clients, "2001:db8:0:1::1").code == 220);
  clients.clear();
  CHECK(h.end() == "");
}

TEST_CASE("hosts_allow: a network has so many connections together", "[plugins][hosts_allow]") {
  Harness h;
  h.load("hosts_allow",
         "per_client = 0\nnetworks = [{ network = \"192.0.2.0/24\", most = 2 }]\n"
         "exempt = { clients = [\"192.0.2.9\"] }");
  Clients clients;
  CHECK(connect(h, clients, "192.0.2.1").code == 220);
  CHECK(connect(h, clients, "192.0.2.2").code == 220);
  CHECK(in_one_line(connect(h, clients, "192.0.2.3")) ==
        "421 4.7.0 Too many connections from 192.0.2.0/24, try again later");
  CHECK(connect(h, clients, "192.0.2.9").code == 220);
  CHECK(connect(h, clients, "198.51.100.1").code == 220);
  clients.clear();
  CHECK(h.end() == "");
}

TEST_CASE("hosts_allow: at rcpt each domain has its own list", "[plugins][hosts_allow]") {
  Harness h;
  h.recipients.add_domain("strict.example");
  h.load("hosts_allow", "enforce_at = \"rcpt\"");
  h.domain("strict.example", "[plugin.hosts_allow]\nlist = [\"192.0.2.0/24 DENY Not by us\"]\n");
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(in_one_line(h.client.recipient("x@strict.example")) == "550 5.7.1 Not by us");
  CHECK(h.end() == "");
}

TEST_CASE("hosts_allow: an OK vouches, for who wants to know", "[plugins][hosts_allow]") {
  Harness h;
  h.load("hosts_allow", "list = [\"192.0.2.1 OK\"]");
  h.load("badmailfrom", "list = [\"@b.example\"]\nexempt = { passed = [\"hosts_allow\"] }");
  CHECK(test::whole_dialogue(h).code == 250);
  test::Letter letter;
  letter.client = "192.0.2.2";
  CHECK(test::whole_dialogue(h, letter).code == 550);
  CHECK(h.end() == "");
}
