// PRDR (draft-hall-prdr): each recipient gets a reply to the message.
#include <postern/plugin.hpp>

#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using testing::Fault;
using testing::Harness;
using testing::Phase;

namespace {

// Refuses the message for whoever is called so, drops it for others.
class Picky final : public plugin::PluginOf<Picky> {
 public:
  struct Settings {};
  static void describe(policy::Schema<Settings>&) {}
  void setup(plugin::Hooks& hooks) override {
    hooks.on_rcpt(this, &Picky::stand_for);
    hooks.on_message(this, &Picky::decide);
  }

 private:
  // "both" is x and y.
  void stand_for(plugin::Recipient& to) {
    const smtp::Path x = path("x"), y = path("y");
    if (to.local_part() == "both") to.rewrite({x, y});
  }
  static smtp::Path path(const std::string& local_part) {
    return *smtp::parse_mailbox(local_part + "@example.net");
  }
  plugin::Verdict decide(plugin::Message& message, plugin::Recipient& to) {
    if (to.local_part() == "seen") message.edits().add_recipient(path("x"));
    if (to.local_part() == "never") return plugin::Verdict::reject({5, 7, 1}, "not for never");
    if (to.local_part() == "later") return plugin::Verdict::defer({4, 7, 1}, "not now");
    if (to.local_part() == "closes")
      return plugin::Verdict::reject({5, 7, 1}, "go away").and_close();
    if (to.local_part() == "dropped") return plugin::Verdict::drop("nobody wants it");
    return plugin::Verdict::next();
  }
};

constexpr const char* content = "Message-Id: <1@b.example>\r\nSubject: s\r\n\r\nb\r\n";

// What the client reads after the dot, one line each.
struct Prdr {
  Prdr() {
    h.recipients.add_domain("other.example");
    h.add<Picky>("picky");
    h.load("picky", "may_drop = true");
    h.listen();
    h.listen(Harness::second, second);
    h.forward();
  }
  // Mail of other.example goes to the second server.
  void two_ways() {
    deliver::PoolSettings settings = h.pool;
    settings.to = {Harness::second};
    h.route("other.example", settings);
  }
  void greet() {
    client = h.connect();
    say("EHLO c.example\r\n");
  }
  std::string say(std::string_view octets, net::Duration time = 1s) {
    client->write(octets);
    h.run_for(time);
    std::string heard(client->input());
    client->consume(heard.size());
    return heard;
  }
  // Names them all, and gives the replies.
  std::string envelope(const std::vector<std::string>& to, const char* parameters = " PRDR") {
    std::string octets = "MAIL FROM:<a@b.example>" + std::string(parameters) + "\r\n";
    for (const std::string& path : to) octets += "RCPT TO:<" + path + ">\r\n";
    return say(octets);
  }
  std::string data(net::Duration time = 1s) {
    say("DATA\r\n");
    return say(std::string(content) + ".\r\n", time);
  }
  std::string send(const std::vector<std::string>& to) {
    greet();
    envelope(to);
    return data();
  }
  void end(std::size_t hung = 0) {
    client.reset();
    CHECK(h.end(hung) == "");
  }
  std::string got() const { return test::delivered_to(h.downstream); }
  std::string second_got() const { return test::delivered_to(second); }

  testing::ScriptedDownstream second;
  Harness h;
  net::StreamPtr client;
};

const std::string begins = "353 PRDR content analysis beginning\r\n";
const std::string queued = "250 2.0.0 queued as 1\r\n";

}  // namespace

TEST_CASE("PRDR: is offered, and asked for at MAIL", "[session][prdr][line:54]") {
  Prdr prdr;
  prdr.client = prdr.h.connect();
  CHECK(test::contains(prdr.say("EHLO c.example\r\n"), "250-PRDR\r\n"));
  CHECK(prdr.say("MAIL FROM:<a@b.example> PRDR\r\n") == "250 2.1.0 Sender OK, PRDR requested\r\n");
  CHECK(prdr.say("RSET\r\nMAIL FROM:<a@b.example>\r\n") ==
        "250 2.0.0 OK\r\n250 2.1.0 Sender OK\r\n");
  CHECK(prdr.say("RSET\r\nMAIL FROM:<a@b.example> PRDR=1\r\n").substr(14, 9) == "501 5.5.4");
  CHECK(prdr.say("HELO c.example\r\nMAIL FROM:<a@b.example> PRDR\r\n").find("555 5.5.4") !=
        std::string::npos);
  prdr.end();
}

TEST_CASE("PRDR: a reply for each recipient in their order, then one for all",
          "[session][prdr][line:54]") {
  struct Row {
    const char* why;
    std::vector<std::string> to;
    std::string wire;
    std::string delivered;
  };
  const std::string never = "550 5.7.1 not for never\r\n", later = "451 4.7.1 not now\r\n";
  const auto row = GENERATE_REF(values<Row>({
      {"all take it",
       {"a", "b"},
       begins + queued + queued + queued,
       "<a@example.net> <b@example.net> "},
      {"one alone: one reply", {"a"}, queued, "<a@example.net> "},
      {"one alone, who refuses", {"never"}, never, ""},
      {"all refuse it", {"never", "Never"}, begins + never + never + never, ""},
      {"all refuse it, one for now: it may come again",
       {"never", "later"},
       begins + never + later + later,
       ""},
      {"mixed",
       {"a", "never", "b", "later"},
       begins + queued + never + queued + later + "250 2.0.0 Taken for 2 of 4 recipients\r\n",
       "<a@example.net> <b@example.net> "},
      {"dropped for one",
       {"dropped", "a"},
       begins + "250 2.0.0 OK\r\n" + queued + "250 2.0.0 Taken for 2 of 2 recipients\r\n",
       "<a@example.net> "},
      {"dropped for all",
       {"dropped", "Dropped"},
       begins + "250 2.0.0 OK\r\n250 2.0.0 OK\r\n250 2.0.0 OK\r\n",
       ""},
      {"dropped for one, refused for the other",
       {"dropped", "never"},
       begins + "250 2.0.0 OK\r\n" + never + "250 2.0.0 Taken for 1 of 2 recipients\r\n",
       ""},
  }));
  CAPTURE(row.why);
  Prdr prdr;
  std::vector<std::string> paths;
  for (const std::string& name : row.to) paths.push_back(name + "@example.net");
  CHECK(prdr.send(paths) == row.wire);
  CHECK(prdr.got() == row.delivered);
  for (const auto& session : prdr.h.downstream.sessions())
    for (const std::string& command : session.commands)
      CHECK_FALSE(test::contains(command, "PRDR"));
  CHECK(prdr.say("NOOP\r\n") == "250 2.0.0 OK\r\n");  // nothing else was said
  prdr.end();
}

TEST_CASE("PRDR: without it `mixed` decides, as ever", "[session][prdr]") {
  Prdr prdr;
  prdr.greet();
  prdr.envelope({"a@example.net", "never@example.net"}, "");
  CHECK(prdr.data().substr(0, 9) == "451 4.5.3");
  CHECK(prdr.got() == "");
  prdr.end();
}

TEST_CASE("PRDR: a recipient named twice is counted once and answered twice",
          "[session][prdr][line:53]") {
  Prdr prdr;
  prdr.greet();
  prdr.envelope({"a@example.net", "never@example.net", "a@example.net"});
  CHECK(prdr.data() == begins + queued + "550 5.7.1 not for never\r\n" + queued +
                           "250 2.0.0 Taken for 2 of 3 recipients\r\n");
  CHECK(prdr.got() == "<a@example.net> ");
  prdr.h.settings.recipients = 2;
  CHECK(prdr.envelope({"a@example.net", "a@example.net", "a@example.net"}).find("452 4.5.3") !=
        std::string::npos);
  prdr.end();
}

TEST_CASE("PRDR: pipelined, in chunks, for the null sender", "[session][prdr][bdat]") {
  Prdr prdr;
  prdr.greet();
  const std::string octets(content);
  const std::string after =
      begins + queued + "550 5.7.1 not for never\r\n" + "250 2.0.0 Taken for 1 of 2 recipients\r\n";
  const std::string group =
      "MAIL FROM:<> PRDR\r\nRCPT TO:<a@example.net>\r\nRCPT TO:<never@example.net>\r\n";
  std::string heard;
  SECTION("DATA") {
    prdr.say(group + "DATA\r\n");
    heard = prdr.say(octets + ".\r\nNOOP\r\n");
  }
  SECTION("one chunk") {
    heard = prdr.say(group + "BDAT " + std::to_string(octets.size()) + " LAST\r\n" + octets +
                     "NOOP\r\n");
  }
  SECTION("two chunks") {
    const std::string head = octets.substr(0, 10), rest = octets.substr(10);
    heard = prdr.say(group + "BDAT 10\r\n" + head + "BDAT " + std::to_string(rest.size()) +
                     " LAST\r\n" + rest + "NOOP\r\n");
    CHECK(test::contains(heard, "250 2.0.0 Chunk taken\r\n353"));
  }
  CAPTURE(heard);
  CHECK(test::contains(heard, after + "250 2.0.0 OK\r\n"));
  CHECK(prdr.got() == "<a@example.net> ");
  prdr.end();
}

TEST_CASE("PRDR: what is wrong with the message itself is each one's answer", "[session][prdr]") {
  Prdr prdr;
  prdr.greet();
  prdr.envelope({"a@example.net", "b@example.net"});
  SECTION("at the end of data") {
    prdr.say("DATA\r\n");
    const std::string bare = "550 5.6.11 Lines must end in CRLF\r\n";
    CHECK(prdr.say("a: b\n\r\n.\r\n") == begins + bare + bare + bare);
  }
  SECTION("before it there is one reply") {
    CHECK(prdr.say(std::string("BDAT 1\r\n\0", 9)) == "554 5.6.0 Message contains a NUL octet\r\n");
  }
  CHECK(prdr.say("NOOP\r\n") == "250 2.0.0 OK\r\n");
  prdr.end();
}

TEST_CASE("PRDR: a plugin that closes does so behind all replies", "[session][prdr]") {
  Prdr prdr;
  CHECK(prdr.send({"closes@example.net", "a@example.net"}) ==
        begins + "550 5.7.1 go away\r\n" + queued + "250 2.0.0 Taken for 1 of 2 recipients\r\n");
  CHECK(prdr.client->ended());
  prdr.end();
}

TEST_CASE("PRDR: an LMTP server's answers go to whom they are for", "[session][prdr][lmtp]") {
  struct Row {
    const char* why;
    std::vector<Fault> faults;
    std::string wire;
    std::size_t delivered;
  };
  const std::string a = "250 2.0.0 <a@example.net> saved\r\n",
                    b = "250 2.0.0 <b@example.net> saved\r\n", full = "552 5.2.2 full\r\n",
                    busy = "451 4.2.0 busy\r\n",
                    lost = "451 4.4.2 Lost the mail server, try again later\r\n",
                    some = "250 2.0.0 Taken for 1 of 2 recipients\r\n";
  const auto row = GENERATE_REF(values<Row>({
      {"both", {}, begins + a + b + "250 2.0.0 Taken for 2 of 2 recipients\r\n", 2},
      {"the first refuses",
       {{Phase::end_of_data, Fault::Kind::reply, full, 0}},
       begins + full + b + some,
       1},
      {"the second refuses",
       {{Phase::end_of_data, Fault::Kind::reply, busy, 1}},
       begins + a + busy + some,
       1},
      {"both refuse, each in its own way",
       {{Phase::end_of_data, Fault::Kind::reply, full, 0},
        {Phase::end_of_data, Fault::Kind::reply, busy, 1}},
       begins + full + busy + busy,
       0},
      {"it dies between its answers",
       {{Phase::end_of_data, Fault::Kind::close, {}, 1}},
       begins + a + lost + some,
       1},
      {"it dies before any",
       {{Phase::end_of_data, Fault::Kind::reset, {}, 0}},
       begins + lost + lost + lost,
       0},
  }));
  CAPTURE(row.why);
  Prdr prdr;
  prdr.h.downstream.settings().lmtp = true;
  for (const Fault& fault : row.faults) prdr.h.downstream.fail(fault);
  prdr.h.pool.protocol = deliver::Protocol::lmtp;
  prdr.h.forward();
  CHECK(prdr.send({"a@example.net", "b@example.net"}) == row.wire);
  CHECK(prdr.h.downstream.promised() == row.delivered);
  prdr.end();
}

TEST_CASE("PRDR: who stands for several is done when all of them are", "[session][prdr][lmtp]") {
  Prdr prdr;
  prdr.h.downstream.settings().lmtp = true;
  prdr.h.pool.protocol = deliver::Protocol::lmtp;
  prdr.h.forward();
  const std::string split = "451 4.5.3 The recipients want different answers, try again\r\n";
  SECTION("an alias of two, one of whom refuses it") {
    // In the envelope: a, x, y.
    prdr.h.downstream.fail({Phase::end_of_data, Fault::Kind::reply, "452 4.2.2 full\r\n", 2});
    const std::string a = "250 2.0.0 <a@example.net> saved\r\n";
    CHECK(prdr.send({"a@example.net", "both@example.net"}) ==
          begins + a + split + "250 2.0.0 Taken for 1 of 2 recipients\r\n");
    CHECK(prdr.got() == "<a@example.net> <x@example.net> ");
    prdr.h.downstream.mend();
    CHECK(test::contains(prdr.envelope({"both@example.net"}), "\r\n250 "));
    CHECK(prdr.data() == "250 2.0.0 <y@example.net> saved\r\n");
    CHECK(prdr.got() == "<a@example.net> <x@example.net> <y@example.net> ");
  }
  SECTION("a copy that a plugin sends, which is refused") {
    prdr.h.downstream.fail({Phase::end_of_data, Fault::Kind::reply, "452 4.2.2 full\r\n", 2});
    CHECK(prdr.send({"a@example.net", "seen@example.net"}) == begins + split + split + split);
    prdr.h.downstream.mend();
    prdr.envelope({"a@example.net", "seen@example.net"});
    const std::string before = "250 2.0.0 Taken the last time it was sent\r\n";
    CHECK(prdr.data() == begins + before + before + before);
    CHECK(prdr.got() == "<a@example.net> <seen@example.net> <x@example.net> ");
  }
  prdr.end();
}

TEST_CASE("PRDR: recipients of several ways come in one transaction", "[session][prdr][routes]") {
  Prdr prdr;
  prdr.two_ways();
  SECTION("both take it") {
    CHECK(prdr.send({"a@example.net", "b@other.example", "c@example.net", "d@other.example"}) ==
          begins + queued + queued + queued + queued + queued);
    CHECK(prdr.got() == "<a@example.net> <c@example.net> ");
    CHECK(prdr.second_got() == "<b@other.example> <d@other.example> ");
    const auto for_one = [](const testing::ScriptedDownstream& server) {
      return test::contains(server.ledger().front().content, "for <");
    };
    CHECK_FALSE(for_one(prdr.h.downstream));
    CHECK_FALSE(for_one(prdr.second));
  }
  SECTION("one refuses it") {
    prdr.second.fail({Phase::end_of_data, Fault::Kind::reply, "554 5.7.1 spam\r\n"});
    CHECK(prdr.send({"a@example.net", "b@other.example"}) ==
          begins + queued + "554 5.7.1 spam\r\n250 2.0.0 Taken for 1 of 2 recipients\r\n");
    CHECK(prdr.got() == "<a@example.net> ");
  }
  SECTION("a plugin refuses all of one way") {
    CHECK(prdr.send({"a@example.net", "never@other.example"}) ==
          begins + queued + "550 5.7.1 not for never\r\n250 2.0.0 Taken for 1 of 2 recipients\r\n");
    CHECK(prdr.second_got() == "");
  }
  SECTION("one is not there: its recipients hear so at RCPT") {
    prdr.h.network.fail(Harness::second, Errc::refused);
    prdr.greet();
    CHECK(test::contains(prdr.envelope({"b@other.example", "a@example.net"}), "451 4.4.1"));
    CHECK(prdr.data() == queued);
  }
  SECTION("the way of those who were refused is another's then") {
    prdr.second.settings().recipients["<b@other.example>"] = "550 5.1.1 no\r\n";
    CHECK(prdr.send({"b@other.example", "a@example.net", "c@example.net"}) ==
          begins + queued + queued + queued);
    CHECK(prdr.second_got() == "");
  }
  SECTION("without PRDR they come apart") {
    prdr.greet();
    CHECK(test::contains(prdr.envelope({"a@example.net", "b@other.example"}, ""), "450 4.5.3"));
  }
  prdr.end();
}

TEST_CASE("PRDR: when one way dies, the others have the message", "[session][prdr][routes]") {
  const auto phase = GENERATE(Phase::data, Phase::body, Phase::end_of_data);
  const auto kind = GENERATE(Fault::Kind::close, Fault::Kind::reset, Fault::Kind::hang);
  const bool first_dies = GENERATE(true, false);
  CAPTURE(name(phase), static_cast<int>(kind), first_dies);
  Prdr prdr;
  prdr.two_ways();
  (first_dies ? prdr.h.downstream : prdr.second).fail({phase, kind});
  prdr.greet();
  prdr.envelope({"a@example.net", "b@other.example"});
  std::string heard = prdr.data(30min);
  if (const auto idle = heard.find("421 4.4.2"); idle != std::string::npos) heard.erase(idle);
  CAPTURE(heard);
  const std::string last = "250 2.0.0 Taken for 1 of 2 recipients\r\n";
  REQUIRE(heard.size() > begins.size() + last.size());
  CHECK(heard.substr(0, begins.size()) == begins);
  CHECK(heard.substr(heard.size() - last.size()) == last);
  const std::string each = heard.substr(begins.size(), heard.size() - begins.size() - last.size());
  CHECK(each.substr(first_dies ? 0 : queued.size(), 6) == "451 4.");
  CHECK(test::contains(each, queued));
  CHECK((first_dies ? prdr.second_got() : prdr.got()) ==
        (first_dies ? "<b@other.example> " : "<a@example.net> "));
  const bool hangs = kind == Fault::Kind::hang;
  prdr.end(hangs ? 1 : 0);
}

TEST_CASE("PRDR: sessions that cross never wait for each other's connections",
          "[session][prdr][routes]") {
  Prdr prdr;
  prdr.h.pool.max_connections = 1;
  prdr.h.forward();
  prdr.two_ways();
  prdr.greet();
  net::StreamPtr one = std::move(prdr.client);
  prdr.greet();
  net::StreamPtr two = std::move(prdr.client);
  const auto say = [&](net::StreamPtr& who, std::string_view octets) {
    prdr.client = std::move(who);
    const std::string heard = prdr.say(octets);
    who = std::move(prdr.client);
    return heard;
  };
  const std::string mail = "MAIL FROM:<a@b.example> PRDR\r\n";
  const std::string near = "RCPT TO:<a@example.net>\r\n", far = "RCPT TO:<b@other.example>\r\n";
  CHECK(test::contains(say(one, mail + near), "\r\n250 "));
  CHECK(test::contains(say(two, mail + far), "\r\n250 "));
  CHECK(say(one, far) == "");  // there is but one, and nobody lends it yet
  CHECK(say(two, near).substr(0, 4) == "250 ");
  CHECK(say(one, "").substr(0, 4) == "250 ");
  const std::string message = std::string(content) + ".\r\n";
  for (net::StreamPtr* who : {&one, &two}) say(*who, "DATA\r\n");
  for (net::StreamPtr* who : {&one, &two})
    CHECK(say(*who, message).substr(0, begins.size() + 4) == begins + "250 ");
  CHECK(prdr.got() == "<a@example.net> <a@example.net> ");
  CHECK(prdr.second_got() == "<b@other.example> <b@other.example> ");
  one.reset();
  two.reset();
  prdr.end();
}

TEST_CASE("PRDR: a client that goes after the dot does not get it twice",
          "[session][prdr][line:27][line:59]") {
  Prdr prdr;
  prdr.two_ways();
  prdr.h.downstream.settings().think = 2s;
  prdr.second.settings().think = 2s;
  prdr.greet();
  const bool prdr_again = GENERATE(true, false);
  const std::vector<std::string> both = {"a@example.net", "never@example.net"};
  prdr.client->write(
      "MAIL FROM:<a@b.example> PRDR\r\nRCPT TO:<a@example.net>\r\n"
      "RCPT TO:<b@other.example>\r\n");
  prdr.h.run_for(60s);
  prdr.client->write("DATA\r\n");
  prdr.h.run_for(1s);
  prdr.client->write(std::string(content) + ".\r\n");
  prdr.h.run_for(3s);  // DATA is answered, the end of data is not
  prdr.client->reset();
  prdr.h.run_for(60s);
  CHECK(prdr.got() == "<a@example.net> ");
  CHECK(prdr.second_got() == "<b@other.example> ");
  const std::string records = test::all_records(prdr.h);
  CHECK(test::contains(records, R"("outcome":"accepted")"));
  CHECK(test::contains(records, R"("client_gone":true)"));
  prdr.client = prdr.h.connect();
  prdr.say("EHLO c.example\r\n", 10s);
  prdr.client->write(prdr_again ? "MAIL FROM:<a@b.example> PRDR\r\nRCPT TO:<a@example.net>\r\n"
                                  "RCPT TO:<b@other.example>\r\n"
                                : "MAIL FROM:<a@b.example>\r\nRCPT TO:<a@example.net>\r\n");
  prdr.h.run_for(60s);
  prdr.client->consume(prdr.client->input().size());
  const std::string before = "250 2.0.0 Taken the last time it was sent\r\n";
  CHECK(prdr.data(60s) == (prdr_again ? begins + before + before + before : before));
  CHECK(prdr.got() == "<a@example.net> ");
  CHECK(prdr.second_got() == "<b@other.example> ");
  prdr.end();
}

TEST_CASE("PRDR: a client that goes before the end of data has sent nothing", "[session][prdr]") {
  Prdr prdr;
  prdr.two_ways();
  prdr.greet();
  prdr.envelope({"a@example.net", "b@other.example"});
  prdr.say("DATA\r\n");
  prdr.say(content);
  prdr.client->reset();
  prdr.h.run_for(1s);
  CHECK(prdr.got() + prdr.second_got() == "");
  CHECK(test::contains(test::all_records(prdr.h), R"("outcome":"aborted")"));
  prdr.end();
}

TEST_CASE("PRDR: the record tells what each recipient heard", "[session][prdr]") {
  Prdr prdr;
  prdr.two_ways();
  prdr.second.fail({Phase::end_of_data, Fault::Kind::reply, "452 4.2.2 full\r\n"});
  prdr.send({"a@example.net", "never@example.net", "b@other.example"});
  const std::string records = test::all_records(prdr.h);
  CAPTURE(records);
  CHECK(test::contains(records, R"("outcome":"partly")"));
  CHECK(test::contains(
      records,
      R"("answers":[{"path":"a@example.net","code":250,"enhanced":"2.0.0","text":"queued as 1",)"
      R"("by":"downstream","target":")"));
  CHECK(test::contains(records, R"({"path":"never@example.net","code":550,"enhanced":"5.7.1",)"
                                R"("text":"not for never","by":"picky"})"));
  CHECK(test::contains(records, R"({"path":"b@other.example","code":452,"enhanced":"4.2.2",)"
                                R"("text":"full","by":"downstream","target":")"));
  prdr.end();
}
