// dnsbl: what a client waits for, and what its lookups cost.
#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "dnsbl_zones.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using test::name_in;
using testing::Harness;

namespace {

constexpr const char* four =
    "zones = [\"a.example\", \"b.example\", \"c.example\", \"d.example\"]\nenforce_at = \"rcpt\"";

void slow_lists(Harness& h) {
  for (const char* zone : {"a.example", "b.example", "c.example", "d.example"})
    h.dns.delay(name_in(zone), 300ms);
  h.load("dnsbl", four);
}

}  // namespace

TEST_CASE("dnsbl: four slow lists cost nothing before rcpt, and one list's time there",
          "[plugins][dnsbl]") {
  Harness h;
  slow_lists(h);
  CHECK(test::arrive(h).code == 220);
  CHECK(h.client.command("EHLO client.example").code == 250);
  CHECK(h.client.command("MAIL FROM:<a@b.example>").code == 250);
  CHECK(h.sim.elapsed() < 10ms);
  CHECK(h.dns.waiting() == 4);
  CHECK(h.client.command("RCPT TO:<x@example.net>").code == 250);
  CHECK(h.sim.elapsed() >= 300ms);
  CHECK(h.sim.elapsed() < 320ms);
  CHECK(h.client.message().code == 250);
  CHECK(h.dns.asked() == 4);
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: a client that takes its time waits for nothing", "[plugins][dnsbl]") {
  Harness h;
  slow_lists(h);
  CHECK(test::arrive(h).code == 220);
  h.run_for(1s);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.sim.elapsed() < 1020ms);
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: a hundred clients wait together", "[plugins][dnsbl]") {
  Harness h;
  h.pool.max_connections = 100;
  slow_lists(h);
  std::vector<std::unique_ptr<testing::HarnessClient>> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(std::make_unique<testing::HarnessClient>(h));
    clients.back()->connect();
    clients.back()->send(
        "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\n");
  }
  for (auto& each : clients)
    for (const int code : {220, 250, 250, 250}) CHECK(each->reply().code == code);
  CHECK(h.sim.elapsed() >= 300ms);
  CHECK(h.sim.elapsed() < 320ms);
  clients.clear();
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: stops its lookups when the client hangs up", "[plugins][dnsbl]") {
  const std::string when = GENERATE("greeted", "in rcpt");
  CAPTURE(when);
  Harness h;
  for (const char* zone : {"a.example", "b.example", "c.example", "d.example"})
    h.dns.silence(name_in(zone));
  h.load("dnsbl", four);
  CHECK(test::arrive(h).code == 220);
  if (when == "in rcpt") {
    CHECK(h.client.command("EHLO client.example").code == 250);
    CHECK(h.client.command("MAIL FROM:<a@b.example>").code == 250);
    h.client.send("RCPT TO:<x@example.net>\r\n");
    h.run_for(10ms);
  }
  CHECK(h.dns.waiting() == 4);
  h.client.close();
  h.run_for(0ms);
  h.run_until_idle();
  CHECK(h.dns.waiting() == 0);
  for (const char* zone : {"a.example", "b.example", "c.example", "d.example"})
    CHECK(h.dns.cancelled(name_in(zone)));
  CHECK(h.sim.elapsed() < 100ms);
  CHECK(h.live_tasks() == 0);
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: two recipients with opposite settings are answered from one lookup",
          "[plugins][dnsbl]") {
  const bool strict_first = GENERATE(true, false);
  Harness h;
  h.recipients.add_domain("off.example");
  h.recipients.add_domain("strict.example");
  test::list(h, "bl.example", "listed");
  h.load("dnsbl", "zones = [\"bl.example\"]\nthreshold = 2\nenforce_at = \"rcpt\"");
  h.domain("off.example", "[plugin.dnsbl]\nmode = \"off\"\n");
  h.domain("strict.example", "[plugin.dnsbl]\nthreshold = 1\n");
  test::arrive(h);
  if (strict_first) CHECK(h.client.recipient("x@strict.example").code == 550);
  CHECK(h.client.recipient("x@off.example").code == 250);
  CHECK(in_one_line(h.client.recipient("y@strict.example")) == "550 5.7.1 listed");
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(test::delivered_to(h.downstream) == "<x@off.example> <x@example.net> ");
  CHECK(h.client.recipient("z@strict.example").code == 550);
  CHECK(h.dns.asked(name_in("bl.example")) == 2);  // A and, since it is listed, TXT
  CHECK(h.dns.asked() == 2);
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: the lists of all domains are asked once, and each counts for its own",
          "[plugins][dnsbl]") {
  Harness h;
  h.recipients.add_domain("other.example");
  test::list(h, "theirs.example");
  h.load("dnsbl", "zones = [\"ours.example\"]");
  h.domain(
      "other.example",
      "[plugin.dnsbl]\nzones = [{ name = \"ours.example\", weight = 2 }, \"theirs.example\"]\n");
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.client.recipient("x@other.example").code == 550);
  CHECK(h.dns.asked(name_in("ours.example")) == 1);
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: a refusal behind a plugin that accepts still refuses", "[plugins][dnsbl]") {
  const bool accepts_first = GENERATE(true, false);
  Harness h;
  test::list(h, "bl.example");
  if (accepts_first) h.load("rcpt_accept");
  h.load("dnsbl", "zones = [\"bl.example\"]");
  if (!accepts_first) h.load("rcpt_accept");
  CHECK(in_one_line(test::whole_dialogue(h)) ==
        "rcpt 550 5.7.1 Your address is listed in bl.example");
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: whom it spares, and whom not", "[plugins][dnsbl]") {
  struct Row {
    const char* why;
    const char* exempt;
    const char* to;
    int code;
  };
  const auto row = GENERATE(values<Row>({
      {"nobody", "", "x@example.net", 550},
      {"an allowed client", "clients = [\"192.0.2.0/28\"]", "x@example.net", 250},
      {"a sender, who opens no relay", "senders = [\"a@b.example\"]", "x@elsewhere.example", 550},
      {"a sender", "senders = [\"@b.example\"]", "x@example.net", 250},
      {"those who are written to for help", "recipients = [\"abuse\", \"root\"]",
       "abuse@example.net", 250},
      {"... and nobody else", "recipients = [\"abuse\", \"root\"]", "x@example.net", 550},
      {"the postmaster, always", "", "postmaster@example.net", 250},
  }));
  CAPTURE(row.why);
  Harness h;
  test::list(h, "bl.example");
  h.load("dnsbl", fmt::format("zones = [\"bl.example\"]\nexempt = {{ {} }}", row.exempt));
  CHECK(test::whole_dialogue(h, row.to).code == row.code);
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: a client that we relay for is not refused", "[plugins][dnsbl]") {
  Harness h;
  test::list(h, "bl.example");
  h.load("dnsbl", "zones = [\"bl.example\"]");
  h.load("relay", "clients = [\"192.0.2.1\"]");
  CHECK(test::whole_dialogue(h, "x@elsewhere.example").code == 250);
  CHECK(h.end() == "");
}

TEST_CASE("dnsbl: at connect it refuses there, with the reply of that stage", "[plugins][dnsbl]") {
  Harness h;
  test::list(h, "bl.example", "listed");
  h.load("dnsbl", "zones = [\"bl.example\"]\nenforce_at = \"now\"");
  CHECK(in_one_line(test::whole_dialogue(h)) == "connect 554 5.7.1 listed");
  CHECK(h.client.rest().empty());
  CHECK(h.end() == "");
}
