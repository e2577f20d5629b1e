// spf: whether the sender's domain lets this client send in its name.
#include <postern/facts/spf.hpp>

#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using test::Letter;
using testing::Harness;

namespace {

// Clients come from 192.0.2.1; each domain is named by what it says of them.
void fill(Harness& h) {
  h.dns.add_txt("pass.example", "v=spf1 ip4:192.0.2.0/24 -all");
  h.dns.add_txt("fail.example", "v=spf1 -all");
  h.dns.add_txt("told.example", "v=spf1 -all exp=why.told.example");
  h.dns.add_txt("why.told.example", "%{i} is none of ours, see https://told.example/%{S}");
  h.dns.add_txt("softfail.example", "v=spf1 ~all");
  h.dns.add_txt("neutral.example", "v=spf1 ?all");
  h.dns.add_empty("none.example");
  h.dns.fail("temperror.example", Errc::servfail);
  h.dns.add_txt("permerror.example", "v=spf1 nonsense -all");
}

Letter from(const std::string& domain) {
  Letter letter;
  letter.from = domain.empty() ? "" : "a@" + domain + ".example";
  return letter;
}

std::string ask(Harness& h, const Letter& letter) {
  const std::string heard = in_one_line(test::whole_dialogue(h, letter));
  h.client.close();
  h.run_for(1s);
  return heard.starts_with("nowhere 250") ? "taken" : heard;
}

// What it wrote into a message's header.
std::string received_spf(const Harness& h) {
  const std::string& content = h.downstream.ledger().back().content;
  const auto begin = content.find("Received-SPF:");
  if (begin == std::string::npos) return {};
  std::string field =
      content.substr(begin, content.find("\r\n", content.find("identity=", begin)) - begin);
  for (auto fold = field.find("\r\n"); fold != std::string::npos; fold = field.find("\r\n"))
    field.erase(fold, 2);
  return field;
}

}  // namespace

TEST_CASE("spf: refuses a fail, and nothing else unless it is asked to",
          "[plugins][spf][line:39]") {
  struct Row {
    const char* domain;
    const char* by_default;
    const char* key;
    const char* rejected;
    const char* deferred;
  };
  const auto row = GENERATE(values<Row>({
      {"pass", "taken", "", "taken", "taken"},
      {"fail", "rcpt 550 5.7.23 SPF: 192.0.2.1 may not send mail for fail.example", "fail",
       "rcpt 550 5.7.23 SPF: 192.0.2.1 may not send mail for fail.example",
       "rcpt 450 4.7.23 SPF: 192.0.2.1 may not send mail for fail.example"},
      {"softfail", "taken", "softfail",
       "rcpt 550 5.7.23 SPF: 192.0.2.1 probably may not send mail for softfail.example",
       "rcpt 450 4.7.23 SPF: 192.0.2.1 probably may not send mail for softfail.example"},
      {"neutral", "taken", "neutral",
       "rcpt 550 5.7.23 SPF: neutral.example does not say that 192.0.2.1 may send mail for it",
       "rcpt 450 4.7.23 SPF: neutral.example does not say that 192.0.2.1 may send mail for it"},
      {"none", "taken", "none",
       "rcpt 550 5.7.23 SPF: none.example does not say that 192.0.2.1 may send mail for it",
       "rcpt 450 4.7.23 SPF: none.example does not say that 192.0.2.1 may send mail for it"},
      {"temperror", "taken", "temperror",
       "rcpt 550 5.7.24 SPF: the DNS does not tell now who may send mail for temperror.example",
       "rcpt 451 4.4.3 SPF: the DNS does not tell now who may send mail for temperror.example"},
      {"permerror", "taken", "permerror",
       "rcpt 550 5.7.24 SPF: the record of permerror.example is wrong: the record of "
       "permerror.example: 'nonsense': no mechanism has this name",
       "rcpt 450 4.7.24 SPF: the record of permerror.example is wrong: the record of "
       "permerror.example: 'nonsense': no mechanism has this name"},
  }));
  const std::string action = GENERATE("", "next", "defer", "reject");
  CAPTURE(row.domain, action);
  Harness h;
  fill(h);
  h.load("spf", action.empty() || !*row.key ? "" : std::string(row.key) + " = \"" + action + "\"");
  const std::string wanted = action == "next"     ? "taken"
                             : action == "defer"  ? row.deferred
                             : action == "reject" ? row.rejected
                                                  : row.by_default;
  CHECK(ask(h, from(row.domain)) == wanted);
  CHECK(h.end() == "");
}

TEST_CASE("spf: says what the domain wants to be said, unless told not to", "[plugins][spf]") {
  const bool explains = GENERATE(true, false);
  Harness h;
  fill(h);
  h.load("spf", explains ? "" : "explain = false");
  const std::string plain = "rcpt 550 5.7.23 SPF: 192.0.2.1 may not send mail for told.example";
  CHECK(ask(h, from("told")) ==
        plain + (explains ? "; told.example explains: 192.0.2.1 is none of ours, see "
                            "https://told.example/a%40told.example"
                          : ""));
  CHECK(h.end() == "");
}

TEST_CASE("spf: each recipient has his own settings", "[plugins][spf]") {
  Harness h;
  fill(h);
  h.recipients.add_domain("strict.example");
  h.recipients.add_domain("lax.example");
  h.load("spf");
  h.domain("strict.example", "[plugin.spf]\nsoftfail = \"reject\"\n");
  h.domain("lax.example", "[plugin.spf]\nfail = \"next\"\n");
  test::arrive(h);
  CHECK(h.client.recipient("x@strict.example", "a@softfail.example").code == 550);
  CHECK(h.client.command("RCPT TO:<x@example.net>").code == 250);
  CHECK(h.client.command("RSET").code == 250);
  CHECK(h.client.command("MAIL FROM:<a@fail.example>").code == 250);
  CHECK(h.client.command("RCPT TO:<x@lax.example>").code == 250);
  CHECK(h.client.command("RCPT TO:<x@example.net>").code == 550);
  CHECK(h.dns.asked("softfail.example") == 1);  // once for all recipients
  CHECK(h.end() == "");
}

TEST_CASE("spf: who does not want to know does not wait", "[plugins][spf]") {
  Harness h;
  fill(h);
  h.dns.silence("slow.example");
  h.recipients.add_domain("lax.example");
  h.load("spf", "temperror = \"defer\"");
  h.domain("lax.example", "[plugin.spf]\npass = \"next\"\nfail = \"next\"\ntemperror = \"next\"\n");
  test::arrive(h);
  CHECK(h.client.recipient("x@lax.example", "a@slow.example").code == 250);
  CHECK(h.sim.elapsed() < 1s);
  CHECK(h.client.command("RCPT TO:<x@example.net>").code == 451);
  CHECK(h.sim.elapsed() >= 4s);
  CHECK(h.sim.elapsed() < 25s);
  CHECK(h.end() == "");
}

TEST_CASE("spf: a check ends after 20 s, as trouble", "[plugins][spf]") {
  Harness h;
  std::string record = "v=spf1";
  for (int i = 0; i < 8; ++i) {
    record += fmt::format(" a:h{}.example", i);
    h.dns.add_a(fmt::format("h{}.example", i), "198.51.100.1");
    h.dns.delay(fmt::format("h{}.example", i), 4s);
  }
  h.dns.add_txt("long.example", record + " -all");
  h.load("spf", "temperror = \"defer\"");
  CHECK(ask(h, from("long")) ==
        "rcpt 451 4.4.3 SPF: the DNS does not tell now who may send mail for long.example");
  CHECK(h.sim.elapsed() < 22s);
  CHECK(h.end() == "");
}

TEST_CASE("spf: is not asked for clients that may relay", "[plugins][spf]") {
  Harness h;
  fill(h);
  h.load("relay", "clients = [\"192.0.2.0/24\"]");
  h.load("spf");
  CHECK(ask(h, from("fail")) == "taken");
  CHECK(h.dns.asked("fail.example") == 0);
  CHECK(h.end() == "");
}

TEST_CASE("spf: a bounce is postmaster's at the name in the greeting", "[plugins][spf]") {
  Harness h;
  fill(h);
  h.load("spf");
  Letter bounce = from("");
  bounce.helo = "fail.example";
  CHECK(ask(h, bounce) ==
        "rcpt 550 5.7.23 SPF: 192.0.2.1 may not greet with the name fail.example");
  bounce.helo = "pass.example";
  CHECK(ask(h, bounce) == "taken");
  bounce.helo = "[192.0.2.1]";
  CHECK(ask(h, bounce) == "taken");
  CHECK(h.end() == "");
}

TEST_CASE("spf: looks at the greeting too where it is told to", "[plugins][spf][line:39]") {
  struct Row {
    const char* keys;
    const char* helo;
    const char* domain;
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"", "fail.example", "pass", "taken"},
      {"helo = true", "fail.example", "pass",
       "rcpt 550 5.7.23 SPF: 192.0.2.1 may not greet with the name fail.example"},
      {"helo = true\nhelo_fail = \"defer\"", "fail.example", "pass",
       "rcpt 450 4.7.23 SPF: 192.0.2.1 may not greet with the name fail.example"},
      {"helo = true\nhelo_fail = \"next\"", "fail.example", "pass", "taken"},
      {"helo = true", "softfail.example", "pass", "taken"},
      // That the greeting may be used says nothing of the sender.
      {"helo = true", "pass.example", "fail",
       "rcpt 550 5.7.23 SPF: 192.0.2.1 may not send mail for fail.example"},
  }));
  CAPTURE(row.keys, row.helo, row.domain);
  Harness h;
  fill(h);
  h.load("spf", row.keys);
  Letter letter = from(row.domain);
  letter.helo = row.helo;
  CHECK(ask(h, letter) == row.heard);
  CHECK(h.end() == "");
}

TEST_CASE("spf: adds a field where it is told to", "[plugins][spf]") {
  Harness h;
  fill(h);
  h.load("spf", "received_spf = true");
  CHECK(ask(h, from("pass")) == "taken");
  CHECK(received_spf(h) ==
        "Received-SPF: pass (mx.example.net: domain of pass.example designates 192.0.2.1 as "
        "permitted sender) client-ip=192.0.2.1; envelope-from=\"a@pass.example\"; "
        "helo=client.example; receiver=mx.example.net; identity=mailfrom; "
        "mechanism=\"ip4:192.0.2.0/24\"");
  CHECK(h.end() == "");
}

TEST_CASE("spf: the record tells what was found", "[plugins][spf]") {
  Harness h;
  fill(h);
  h.load("spf");
  CHECK(ask(h, from("fail")) != "taken");
  CHECK(h.end() == "");
  const std::string records = test::all_records(h);
  CHECK(test::contains(records, "\"result\":\"fail\",\"domain\":\"fail.example\""));
  CHECK(test::contains(records, "\"identity\":\"mailfrom\",\"mechanism\":\"all\""));
}

TEST_CASE("spf: stops asking when the client goes", "[plugins][spf]") {
  Harness h;
  h.dns.silence("b.example");
  h.load("spf");
  test::arrive(h);
  CHECK(h.client.command("EHLO c.example").code == 250);
  CHECK(h.client.command("MAIL FROM:<a@b.example>").code == 250);
  h.client.close();
  h.run_until_idle();
  CHECK(h.dns.cancelled("b.example"));
  CHECK(h.sim.elapsed() < 1s);
  CHECK(h.end() == "");
}

// ---- Those who use what it finds ----

TEST_CASE("spf: who passes is spared by nodialup, whatever his name", "[plugins][spf][nodialup]") {
  struct Row {
    const char* why;
    const char* domain;
    bool before;
    const char* keys;
    bool taken;
  };
  const auto row = GENERATE(values<Row>({
      {"one of the domain's own", "pass", true, "", true},
      {"one of nobody's", "none", true, "", false},
      {"it may be switched off", "pass", true, "exempt = { passed = [] }", false},
      {"too late", "pass", false, "", false},
  }));
  CAPTURE(row.why);
  Harness h;
  fill(h);
  h.dns.add_ptr("192.0.2.1", "192-0-2-1.dyn.isp.example");
  if (row.before) h.load("spf");
  h.load("nodialup", row.keys);
  if (!row.before) h.load("spf");
  const auto problems = h.problems();
  CHECK(problems.size() == (row.before ? 0u : 1u));
  if (!row.before)
    CHECK(test::contains(problems.at(0), "spf decides after nodialup, and so exempts nobody"));
  CHECK((ask(h, from(row.domain)) == "taken") == row.taken);
  CHECK(h.end() == "");
}

TEST_CASE("spf: greylisting knows a site's networks by its domain", "[plugins][spf][greylisting]") {
  struct Row {
    const char* why;
    const char* domain;
    const char* again;  // the client that comes again
    bool taken;
  };
  const auto row = GENERATE(values<Row>({
      {"from another network of the site's", "wide", "198.51.100.1", true},
      {"from a network that is not the site's", "wide", "203.0.113.1", false},
      {"a domain that does not say, from the same network", "none", "192.0.2.9", true},
      {"a domain that does not say, from another", "none", "198.51.100.1", false},
      {"a domain that says no", "softfail", "198.51.100.1", false},
      {"trouble, from the same network", "temperror", "192.0.2.9", true},
      {"trouble, from another", "temperror", "198.51.100.1", false},
      {"a bounce is the network's", "", "192.0.2.9", true},
      {"though its greeting passes", "", "198.51.100.1", false},
  }));
  CAPTURE(row.why);
  Harness h;
  fill(h);
  h.dns.add_txt("wide.example", "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/24 ?all");
  h.load("spf");
  h.load("greylisting",
         "key = [\"spf_domain\", \"sender\", \"recipient\"]\nnull_sender = \"data\"");
  Letter letter = from(row.domain);
  letter.helo = "wide.example";
  CHECK(test::contains(ask(h, letter), "451 4.7.1"));
  h.run_for(5min);
  letter.client = row.again;
  CHECK((ask(h, letter) == "taken") == row.taken);
  CHECK(h.end() == "");
}

TEST_CASE("spf: greylisting by domain does without it", "[plugins][spf][greylisting]") {
  Harness h;
  h.load("greylisting", "key = [\"spf_domain\", \"sender\", \"recipient\"]");
  CHECK(test::contains(ask(h, from("pass")), "451 4.7.1"));
  h.run_for(5min);
  Letter elsewhere = from("pass");
  elsewhere.client = "198.51.100.1";
  CHECK(test::contains(ask(h, elsewhere), "451 4.7.1"));
  CHECK(ask(h, from("pass")) == "taken");
  CHECK(h.end() == "");
}

TEST_CASE("spf: redirect may tell only those whose mail could not be forwarded",
          "[plugins][spf][redirect]") {
  struct Row {
    const char* why;
    const char* domain;
    bool told;
  };
  const auto row = GENERATE(values<Row>({
      {"nobody else may send for it", "pass", true},
      {"the client may not either", "fail", true},
      {"others might", "softfail", false},
      {"it does not say", "none", false},
      {"nobody knows now", "temperror", false},
      {"a bounce", "", false},
  }));
  const bool has_spf = GENERATE(true, false);
  CAPTURE(row.why, has_spf);
  Harness h;
  fill(h);
  if (has_spf) h.load("spf", "fail = \"next\"");
  h.load("redirect", "list = [\"x@example.net y@new.example\"]\nsenders = \"spf_fail\"");
  Letter letter = from(row.domain);
  letter.helo = "pass.example";
  CHECK(ask(h, letter) == (row.told && has_spf
                               ? "rcpt 551 5.1.6 User not local; please try <y@new.example>"
                               : "taken"));
  CHECK(h.end() == "");
}

TEST_CASE("spf: karma has its points once a session", "[plugins][spf][karma]") {
  struct Row {
    const char* domain;
    const char* keys;
    int points;  // after two transactions
  };
  const auto row = GENERATE(values<Row>({
      {"pass", "", 1},
      {"softfail", "", -1},
      {"softfail", "softfail = \"reject\"", -2},  // as refusals, which karma counts itself
      {"fail", "fail = \"next\"", -1},
      {"fail", "", -2},
      {"none", "", 0},
  }));
  CAPTURE(row.domain, row.keys);
  Harness h;
  fill(h);
  // Data is refused below `reject_below`: that shows how many points there are.
  const int limit = GENERATE(0, -1, -2);
  h.load("karma", fmt::format("reject_below = {}\nstrikes = 100\nnamed = 0\naccepted = 0", limit));
  h.load("spf", row.keys);
  test::arrive(h);
  CHECK(h.client.command("EHLO client.example").code == 250);
  for (const std::string& domain :
       {std::string(row.domain), std::string(row.domain), std::string("none")}) {
    CHECK(h.client.command("RSET").code == 250);
    CHECK(h.client.command("MAIL FROM:<a@" + domain + ".example>").code == 250);
    (void)h.client.command("RCPT TO:<x@example.net>");
  }
  CHECK((h.client.command("DATA").code == 354) == (row.points >= limit));
  h.client.close();
  h.run_for(1s);
  CHECK(h.end() == "");
}
