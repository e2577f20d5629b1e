// relay: which clients may send to anybody.
#include <fmt/format.h>

#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::in_one_line;
using testing::Harness;

namespace {

constexpr const char* networks =
    "clients = [\"192.0.2.0/24\", \"198.51.100.7\", \"2001:db8:7:1::/64\"]\n"
    "not_clients = [\"192.0.2.66\", \"192.0.2.128/28\"]";

}  // namespace

TEST_CASE("relay: lets the networks send to anybody, but for its exceptions", "[plugins][relay]") {
  struct Row {
    const char* why;
    const char* client;
    bool relays;
  };
  const auto row = GENERATE(values<Row>({
      {"inside", "192.0.2.1", true},
      {"the first address", "192.0.2.0", true},
      {"the last address", "192.0.2.255", true},
      {"before it", "192.0.1.255", false},
      {"behind it", "192.0.3.0", false},
      {"a single address", "198.51.100.7", true},
      {"the one before", "198.51.100.6", false},
      {"the one behind", "198.51.100.8", false},
      {"in both lists", "192.0.2.66", false},
      {"the first of an exception", "192.0.2.128", false},
      {"the last of an exception", "192.0.2.143", false},
      {"behind the exception", "192.0.2.144", true},
      {"IPv6", "2001:db8:7:1::1", true},
      {"the first IPv6 address", "2001:db8:7:1::", true},
      {"the last IPv6 address", "2001:db8:7:1:ffff:ffff:ffff:ffff", true},
      {"another IPv6 network", "2001:db8:7:2::1", false},
      {"IPv4 on an IPv6 socket", "::ffff:192.0.2.1", true},
      {"our own host, unless it is listed", "127.0.0.1", false},
  }));
  CAPTURE(row.why, row.client);
  Harness h;
  h.load("relay", networks);
  CHECK(test::arrive(h, row.client).code == 220);
  CHECK(in_one_line(h.client.recipient("x@elsewhere.example")).substr(0, 9) ==
        (row.relays ? "250 2.0.0" : "550 5.7.1"));
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("relay: what one instance forbids, no other permits, in any order", "[plugins][relay]") {
  const bool forbids_first = GENERATE(true, false);
  Harness h;
  const char* forbids = "name = \"relay:no\"\nnot_clients = [\"192.0.2.1\"]";
  const char* permits = "name = \"relay:yes\"\nclients = [\"192.0.2.0/24\"]";
  h.load("relay", forbids_first ? forbids : permits);
  h.load("relay", forbids_first ? permits : forbids);
  CHECK(test::whole_dialogue(h, "x@elsewhere.example").code == 550);
  CHECK(h.end() == "");
}

TEST_CASE("relay: only makes a smart host of it, and no mail exchanger", "[plugins][relay]") {
  struct Row {
    const char* client;
    const char* to;
    int code;
  };
  const auto row = GENERATE(values<Row>({
      {"192.0.2.1", "x@elsewhere.example", 250},
      {"192.0.2.1", "x@example.net", 250},
      {"203.0.113.1", "x@elsewhere.example", 550},
      {"203.0.113.1", "x@example.net", 550},
      {"192.0.2.66", "x@example.net", 550},
      {"203.0.113.1", "postmaster@example.net", 250},
  }));
  const bool last = GENERATE(true, false);  // whatever accepts, before it or behind it
  CAPTURE(row.client, row.to, last);
  Harness h;
  if (last) h.load("rcpt_accept");
  h.load("relay", std::string(networks) + "\nonly = true");
  if (!last) h.load("rcpt_accept");
  test::Letter letter;
  letter.client = row.client;
  letter.to = row.to;
  const test::Heard heard = test::whole_dialogue(h, letter);
  CHECK(heard.code == row.code);
  if (row.code == 550) CHECK(in_one_line(heard) == "rcpt 550 5.7.1 Relaying denied");
  CHECK(h.end() == "");
}

TEST_CASE("relay: takes qpsmtpd's files as they are", "[plugins][relay]") {
  struct Row {
    const char* client;
    int code;
  };
  const auto row = GENERATE(values<Row>({
      {"127.0.0.1", 250},
      {"192.168.42.255", 250},
      {"10.1.0.0", 250},  // the first and the last of a network are in it
      {"10.1.0.255", 250},
      {"10.1.0.9", 550},
      {"2001:db8:7:1::9", 250},
      {"192.168.43.1", 550},
  }));
  CAPTURE(row.client);
  Harness h;
  h.list("relayclients", "127.0.0.1\n192.168.42.  # our office\n10.1.0.0/24\n2001:db8:7:1::/64\n");
  h.list("norelayclients", "10.1.0.9\n");
  h.load("relay", "clients_file = \"relayclients\"\nnot_clients_file = \"norelayclients\"");
  test::Letter letter;
  letter.client = row.client;
  letter.to = "x@elsewhere.example";
  CHECK(test::whole_dialogue(h, letter).code == row.code);
  CHECK(h.end() == "");
}
