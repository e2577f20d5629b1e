// Recipients that the downstream is asked about before mail for them takes a connection.
#include <postern/deliver/answer_cache.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "catch.hpp"
#include "transactions.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::World;
using testing::Fault;
using testing::Phase;

namespace {

constexpr const char* no_such_user = "550 5.1.1 no such user\r\n";

// Knows anna, bert and postmaster at example.net.
void prepare(World& world) {
  if (!world.pool.verify) world.pool.verify.emplace();
  auto& recipients = world.downstream.settings().recipients;
  for (const char* known : {"anna", "bert", "postmaster"})
    recipients[fmt::format("<{}@example.net>", known)] = "250 2.1.5 OK\r\n";
  recipients["*"] = no_such_user;
  world.listen();
  world.forward();
}

deliver::VerifyState state(World& world) {
  return static_cast<deliver::SmtpRoute&>(world.services().route).verifier()->state();
}

// The reply to RCPT for `who`, in a transaction of a client's own.
std::string rcpt(World& world, const std::string& who, net::Duration limit = 1s) {
  Client client(world);
  client.say("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n");
  return test::ask(client, "RCPT TO:<" + who + ">\r\n", limit);
}

// The whole reply to it.
std::string words(Client& client, const std::string& who) {
  client.send("RCPT TO:<" + who + ">\r\n");
  return client.read(1s);
}

// Commands that the downstream got and that begin so.
std::size_t count(const World& world, std::string_view command) {
  std::size_t found = 0;
  for (const auto& session : world.downstream.sessions())
    for (const std::string& line : session.commands)
      if (std::string_view(line).starts_with(command)) ++found;
  return found;
}

}  // namespace

TEST_CASE("verify: an unknown recipient hears the downstream's words, and then ours to keep",
          "[deliver][verify]") {
  World world;
  prepare(world);
  Client client(world);
  client.say("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n");
  const std::string first = words(client, "carl@example.net");
  CHECK(first == "550 5.1.1 no such user\r\n");
  const std::size_t asked = count(world, "RCPT");
  CHECK(words(client, "carl@example.net") == first);
  CHECK(words(client, "carl@EXAMPLE.net") == first);
  CHECK(count(world, "RCPT") == asked);                 // remembered
  CHECK(count(world, "MAIL FROM:<a@b.example>") == 0);  // no transaction was opened for the client
  client.close();
  world.sim.run_for(2h);  // no longer than that
  CHECK(rcpt(world, "carl@example.net") == "550 5.1.1");
  CHECK(count(world, "RCPT") > asked);
  CHECK(world.end() == "");
}

TEST_CASE("verify: a known recipient is asked about once a day", "[deliver][verify]") {
  World world;
  prepare(world);
  CHECK(test::send_message(world) == "550 5.1.1");  // x is unknown
  for (int i = 0; i < 5; ++i) CHECK(rcpt(world, "anna@example.net") == "250 2.1.5");
  CHECK(state(world).probes == 2);
  world.sim.run_for(25h);
  CHECK(rcpt(world, "anna@example.net") == "250 2.1.5");
  CHECK(state(world).probes == 3);
  SECTION("or when the downstream does not take him any more") {
    world.downstream.settings().recipients.erase("<anna@example.net>");
    CHECK(rcpt(world, "anna@example.net") == "550 5.1.1");  // in the ordinary way
    CHECK(rcpt(world, "anna@example.net") == "550 5.1.1");  // asked again
    CHECK(state(world).probes == 4);
    CHECK(state(world).unknown == 2);
  }
  CHECK(world.end() == "");
}

TEST_CASE("verify: probes leave nothing in a kept connection", "[deliver][verify]") {
  World world;
  prepare(world);
  CHECK(rcpt(world, "carl@example.net") == "550 5.1.1");
  Client client(world);
  client.say("EHLO c.example\r\n");
  CHECK(client.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<anna@example.net>\r\nRCPT "
                   "TO:<dora@example.net>\r\nRCPT TO:<bert@example.net>\r\n") ==
        "250 2.1.0, 250 2.1.5, 550 5.1.1, 250 2.1.5");
  client.say("DATA\r\n");
  CHECK(client.say(test::content) == "250 2.0.0");
  CHECK(world.downstream.ledger().back().forward_paths ==
        std::vector<std::string>{"<anna@example.net>", "<bert@example.net>"});
  client.close();
  CHECK(world.end() == "");
}

TEST_CASE("verify: one connection is enough for mail and probes", "[deliver][verify]") {
  World world;
  world.pool.max_connections = 1;
  prepare(world);
  Client client(world);
  client.say("EHLO c.example\r\n");
  // The second question comes while the only connection has the first recipient.
  CHECK(client.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<anna@example.net>\r\nRCPT "
                   "TO:<bert@example.net>\r\nRCPT TO:<carl@example.net>\r\n") ==
        "250 2.1.0, 250 2.1.5, 250 2.1.5, 550 5.1.1");
  client.close();
  CHECK(world.end() == "");
}

TEST_CASE("verify: postmaster is never asked about", "[deliver][verify][line:30]") {
  World world;
  prepare(world);
  CHECK(rcpt(world, "PostMaster@example.net") != "");
  CHECK(state(world).probes == 0);
  CHECK(world.end() == "");
}

TEST_CASE("verify: where everybody is taken nobody is asked about", "[deliver][verify]") {
  World world;
  prepare(world);
  auto& recipients = world.downstream.settings().recipients;
  recipients["*"] = "250 2.1.5 OK\r\n";
  recipients["<blocked@example.net>"] = "550 5.1.1 not him\r\n";
  SECTION("found with one who is taken") { CHECK(rcpt(world, "x@example.net") == "250 2.1.5"); }
  SECTION("found with one who is not: the ordinary way tells") {
    CHECK(rcpt(world, "blocked@example.net") == "550 5.1.1");
  }
  CHECK(state(world).unknown == 0);
  const std::size_t probes = state(world).probes;
  CHECK(probes == 1);
  for (const char* who : {"y@example.net", "z@example.net"}) CHECK(rcpt(world, who) == "250 2.1.5");
  CHECK(state(world).probes == probes);
  CHECK(rcpt(world, "blocked@example.net") == "550 5.1.1");
  CHECK(world.end() == "");
}

TEST_CASE("verify: what says nothing of the recipient is left to the ordinary way",
          "[deliver][verify]") {
  World world;
  prepare(world);
  auto& recipients = world.downstream.settings().recipients;
  SECTION("a refusal for later") { recipients["*"] = "450 4.2.0 greylisted\r\n"; }
  SECTION("a refusal of us") { recipients["*"] = "550 5.7.1 you may not\r\n"; }
  SECTION("no room") { recipients["*"] = "552 5.2.2 full\r\n"; }
  const std::string heard = rcpt(world, "carl@example.net");
  CHECK(heard == recipients["*"].substr(0, 9));
  CHECK(state(world).unknown == 0);
  CHECK(count(world, "MAIL FROM:<a@b.example>") == 1);
  recipients["*"] = "250 2.1.5 OK\r\n";
  CHECK(rcpt(world, "carl@example.net") == "250 2.1.5");
  CHECK(world.end() == "");
}

TEST_CASE("verify: a downstream that does not answer probes is asked in the ordinary way",
          "[deliver][verify]") {
  World world;
  const auto kind =
      GENERATE(Fault::Kind::close, Fault::Kind::reset, Fault::Kind::hang, Fault::Kind::reply,
               Fault::Kind::reply_close, Fault::Kind::endless_line);
  const auto phase = GENERATE(Phase::greeting, Phase::ehlo, Phase::mail, Phase::rcpt, Phase::rset);
  CAPTURE(static_cast<int>(kind), name(phase));
  Fault fault{phase, kind, kind == Fault::Kind::reply_close ? "421 4.3.2 bye\r\n" : "what?\r\n"};
  fault.once = true;
  world.downstream.fail(fault);
  prepare(world);
  const std::string heard = rcpt(world, "anna@example.net", 400s);
  // A connection that fails before MAIL is one that cannot be opened: 451 for this one.
  CHECK((heard == "250 2.1.5" || heard.starts_with("451")));
  CHECK(state(world).unknown == 0);
  world.sim.run_for(2min);
  CHECK(rcpt(world, "anna@example.net", 400s) == "250 2.1.5");
  CHECK(world.end() == "");
}

TEST_CASE("verify: a kept connection that the downstream closed is replaced", "[deliver][verify]") {
  World world;
  Fault fault{Phase::mail, Fault::Kind::reply_close, "421 4.4.2 timed out\r\n"};
  fault.nth = 1;
  fault.once = true;
  world.downstream.fail(fault);
  prepare(world);
  CHECK(rcpt(world, "carl@example.net") == "550 5.1.1");
  CHECK(rcpt(world, "dora@example.net") == "550 5.1.1");
  CHECK(world.downstream.sessions().size() == 2);
  CHECK(world.end() == "");
}

TEST_CASE("verify: the next sender is tried where one is refused", "[deliver][verify]") {
  World world;
  world.pool.verify.emplace().senders = {"", "probe@mx.example.net"};
  SECTION("at MAIL") {
    // The first MAIL of each connection is a probe's with the first sender.
    Fault fault{Phase::mail, Fault::Kind::reply, "550 5.7.1 no null senders\r\n"};
    fault.once = true;
    world.downstream.fail(fault);
    prepare(world);
    CHECK(rcpt(world, "carl@example.net") == "550 5.1.1");
    CHECK(count(world, "MAIL FROM:<probe@mx.example.net>") == 1);
    CHECK(state(world).unknown == 1);
  }
  SECTION("or with it everybody is: one who is known is not refused for that") {
    Fault fault{Phase::rcpt, Fault::Kind::reply, "550 5.1.1 no bounces\r\n"};
    fault.once = true;
    world.downstream.fail(fault);
    prepare(world);
    CHECK(rcpt(world, "anna@example.net") == "250 2.1.5");
    CHECK(state(world).unknown == 0);
    CHECK(state(world).known == 1);
  }
  SECTION("and is not needed once somebody was taken from the first") {
    prepare(world);
    CHECK(rcpt(world, "anna@example.net") == "250 2.1.5");
    CHECK(rcpt(world, "carl@example.net") == "550 5.1.1");
    CHECK(count(world, "MAIL FROM:<probe@mx.example.net>") == 0);
  }
  CHECK(world.end() == "");
}

TEST_CASE("verify: equal questions are one probe", "[deliver][verify]") {
  World world;
  world.downstream.settings().think = 1s;
  prepare(world);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<Client>(world));
    clients.back()->say("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n", 0s);
  }
  world.sim.run_for(1s);
  for (auto& client : clients) client->hear(0s);
  for (auto& client : clients) client->send("RCPT TO:<carl@example.net>\r\n");
  world.sim.run_for(100ms);
  clients.front().reset();  // whoever asked first goes; the others hear all the same
  world.sim.run_for(20s);
  for (std::size_t i = 1; i < clients.size(); ++i) CHECK(clients[i]->hear(0s) == "550 5.1.1");
  CHECK(state(world).probes == 1);
  CHECK(state(world).joined == 19);
  clients.clear();
  CHECK(world.end() == "");
}

TEST_CASE("verify: a dictionary attack makes no more probes than it may", "[deliver][verify]") {
  World world;
  world.pool.verify.emplace().probes_per_second = 10;
  world.pool.verify->defer_beyond = GENERATE(true, false);
  // In the ordinary way each of them holds a connection as long as its transaction lasts.
  world.pool.max_connections = 200;
  prepare(world);
  CHECK(rcpt(world, "anna@example.net") == "250 2.1.5");
  const std::size_t before = state(world).probes;
  const auto began = world.sim.elapsed();
  constexpr std::size_t victims = 10'000, attackers = 100;
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < attackers; ++i) {
    clients.push_back(std::make_unique<Client>(world));
    std::string group = "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n";
    for (std::size_t n = i; n < victims; n += attackers)
      group += fmt::format("RCPT TO:<victim{}@example.net>\r\n", n);
    clients.back()->send(group);
  }
  world.sim.run_for(60s);
  const auto seconds = std::chrono::duration<double>(world.sim.elapsed() - began).count();
  std::size_t unknown = 0, deferred = 0;
  for (auto& client : clients) {
    const std::string heard = client->hear(0s);
    for (std::size_t at = 0; (at = heard.find("550 5.1.1", at)) != heard.npos; ++at) ++unknown;
    for (std::size_t at = 0; (at = heard.find("450 4.4.5", at)) != heard.npos; ++at) ++deferred;
  }
  CHECK(unknown + deferred == victims);
  const auto most = static_cast<std::size_t>(10 + 10 * seconds);
  CHECK(state(world).probes - before <= most);
  CHECK(state(world).probes - before >= 10);
  if (world.pool.verify->defer_beyond) {
    // And nothing else reached it: what a probe does not ask is not asked.
    CHECK(unknown == state(world).probes - before);
    CHECK(count(world, "MAIL FROM:<a@b.example>") == 1);  // anna's
  } else {
    CHECK(deferred == 0);
  }
  // Those who are known get their mail meanwhile.
  CHECK(rcpt(world, "anna@example.net") == "250 2.1.5");
  clients.clear();
  CHECK(world.end() == "");
}

TEST_CASE("verify: with an identity told, probes are ours and their connections nobody else's",
          "[deliver][verify]") {
  World world;
  world.pool.identity = GENERATE(deliver::Identity::xclient, deliver::Identity::xforward,
                                 deliver::Identity::proxy_v1, deliver::Identity::proxy_v2);
  const bool proxy = world.pool.identity == deliver::Identity::proxy_v1 ||
                     world.pool.identity == deliver::Identity::proxy_v2;
  world.downstream.settings().proxy = proxy;
  world.downstream.settings().capabilities.push_back("XCLIENT ADDR PORT");
  world.downstream.settings().capabilities.push_back("XFORWARD ADDR PORT");
  prepare(world);
  CHECK(rcpt(world, "carl@example.net") == "550 5.1.1");
  CHECK(rcpt(world, "anna@example.net") == "250 2.1.5");
  const auto& first = world.downstream.sessions().front();
  CHECK(count(world, "XCLIENT") == (world.pool.identity == deliver::Identity::xclient ? 1 : 0));
  if (world.pool.identity == deliver::Identity::proxy_v1)
    CHECK(first.proxy_header.starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "));
  if (world.pool.identity != deliver::Identity::xforward)
    CHECK(world.downstream.sessions().size() == 3);  // two probes, one transaction
  CHECK(world.end() == "");
}

TEST_CASE("AnswerCache: is bounded, whatever is put and erased", "[deliver][verify]") {
  deliver::AnswerCache<int> cache(3);
  const coro::TimePoint now;
  for (int i = 0; i < 100; ++i) {
    cache.put(fmt::format("{}", i % 10), i, now + 1h);
    if (i % 3 == 0) cache.erase(fmt::format("{}", (i + 5) % 10));
    CHECK(cache.size() <= 3);
    CHECK(*cache.find(fmt::format("{}", i % 10), now) == i);
  }
  cache.put("x", 1, now + 1h);
  CHECK(cache.find("x", now + 59min));
  CHECK_FALSE(cache.find("x", now + 1h));
}
