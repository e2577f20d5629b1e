// AUTH (RFC 4954): what is answered when, who is let in, what is forgotten. Cases S007, S021, S022
// and S028; lines 6, 18 and 19 of docs/protocol-lines.md.
#include <postern/auth/secret.hpp>
#include <postern/base/base64.hpp>
#include <postern/facts/authenticated.hpp>
#include <postern/plugin.hpp>

#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/client.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using namespace std::string_literals;
using test::all_records;
using test::Client;
using test::contains;
using test::World;

namespace {

std::string seen;  // what the back end was asked, in order

}  // namespace

namespace postern::plugins {
namespace {

// Knows anna, whose password is "right"; says of others what their names ask for.
class Directory final : public PluginOf<Directory> {
 public:
  struct Settings {
    std::chrono::milliseconds wait{0};
    bool secrets = false;  // it has them; otherwise it only checks passwords
    bool refuse = false;   // every sender
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("wait", &Settings::wait, "how long it thinks");
    schema.key("secrets", &Settings::secrets, "whether it has secrets");
    schema.key("refuse", &Settings::refuse, "whether it refuses every sender");
  }
  void setup(Hooks& hooks) override {
    hooks.on_auth_password(this, &Directory::check).serves(&Directory::has_passwords);
    hooks.on_auth_secret(this, &Directory::find).serves(&Directory::has_secrets);
    hooks.on_mail(this, &Directory::mail);
    hooks.on_mail(this, &Directory::refuse);
  }

 private:
  bool has_passwords(AuthMechanism, const Settings& mine) const { return !mine.secrets; }
  bool has_secrets(AuthMechanism, const Settings& mine) const { return mine.secrets; }

  Task<std::optional<AuthAnswer>> check(AuthAttempt& attempt) {
    seen += fmt::format("{} {} {}, ", attempt.mechanism(), attempt.user(),
                        attempt.encrypted() ? "hidden" : "clear");
    const Settings mine = settings(attempt);
    const std::string user = attempt.user();
    if (mine.secrets || user == "nobody") co_return std::nullopt;
    auto slept = co_await coro::sleep(mine.wait);
    if (!slept) co_return AuthAnswer::failed(slept.error());
    if (user == "thrower") throw std::runtime_error("raised");
    if (user == "broken") co_return AuthAnswer::failed(Error(Errc::io, "the directory is down"));
    if (attempt.password().octets() == "right") co_return AuthAnswer::accept();
    co_return AuthAnswer::refuse();
  }
  std::optional<AuthSecret> find(AuthAttempt& attempt) {
    if (!settings(attempt).secrets) return {};
    if (attempt.user() == "anna") return AuthSecret::plain(Secret("right"));
    if (attempt.user() == "keys")
      return AuthSecret::scram(auth::ScramKeys::of("right", "0123456789abcdef", 4096));
    if (attempt.user() == "broken") return AuthSecret::failed(Error(Errc::io, "it is down"));
    return {};
  }
  Verdict refuse(Transaction& tx) {
    return settings(tx).refuse ? Verdict::reject({5, 7, 1}, "no") : Verdict::next();
  }
  void mail(Transaction& tx) {
    const auto* fact = tx.facts().find<facts::Authenticated>();
    seen += fmt::format("MAIL {} {}, ", fact ? fact->user : "-", fact ? fact->mechanism : "-");
  }
};

}  // namespace
}  // namespace postern::plugins

namespace {

const std::string ehlo = "EHLO c.example\r\n";
const std::string anna = encode_base64("\0anna\0right"s);
const std::string wrong = encode_base64("\0anna\0wrong"s);

struct Site : World {
  explicit Site(const char* keys = "") {
    seen.clear();
    settings.auth_without_tls = true;
    settings.auth_failure_time = 300ms;
    add<plugins::Directory>("directory");
    load("directory", keys);
  }
  std::string logged() const {
    std::string all;
    for (const std::string& line : log.lines) all += line + "\n";
    return all;
  }
};

}  // namespace

TEST_CASE("AUTH: every line in every state", "[session][auth][line:18]") {
  const std::string mail = ehlo + "MAIL FROM:<a@b.example>\r\n";
  const std::vector<std::pair<const char*, std::string>> states = {
      {"fresh", ""},
      {"after HELO", "HELO c.example\r\n"},
      {"greeted", ehlo},
      {"mail given", mail},
      {"rcpt given", mail + "RCPT TO:<x@example.net>\r\n"},
      {"authenticated", ehlo + "AUTH PLAIN " + anna + "\r\n"},
  };
  const auto everywhere_but_greeted = [](std::string reply) {
    const std::string no = "503 5.5.1";
    return std::vector<std::string>{no, no, std::move(reply), no, no, no};
  };
  struct Row {
    std::string line;
    std::string when_greeted;
  };
  const std::vector<Row> rows = {
      {"AUTH PLAIN " + anna, "235 2.7.0"},
      {"auth plain " + anna, "235 2.7.0"},
      {"AUTH PLAIN " + wrong, "535 5.7.8"},
      {"AUTH PLAIN", "334"},
      {"AUTH LOGIN", "334"},
      {"AUTH LOGIN " + encode_base64("anna"), "334"},
      {"AUTH LOGIN =", "501 5.5.2"},
      {"AUTH PLAIN =", "501 5.5.2"},
      {"AUTH PLAIN !", "501 5.5.2"},
      {"AUTH PLAIN " + anna + " " + anna, "501 5.5.2"},
      {"AUTH PLAIN " + anna.substr(1), "501 5.5.2"},
      {"AUTH PLAIN " + encode_base64("\0\0right"s), "501 5.5.2"},
      {"AUTH PLAIN " + encode_base64("\0anna\0ri\0ght"s), "501 5.5.2"},
      {"AUTH PLAIN " + encode_base64("\0an\xe4\0right"s), "501 5.5.2"},
      {"AUTH", "501 5.5.4"},
      {"AUTH GSSAPI", "504 5.5.4"},
      {"AUTH SCRAM-SHA-1", "504 5.5.4"},
      {"AUTH CRAM-MD5", "504 5.5.4"},  // nobody here has secrets
      {"AUTH *", "504 5.5.4"},
  };
  for (std::size_t state = 0; state < states.size(); ++state)
    for (const Row& row : rows) {
      CAPTURE(states[state].first, row.line);
      Site site;
      Client client(site);
      client.say(states[state].second);
      CHECK(client.say(row.line + "\r\n") == everywhere_but_greeted(row.when_greeted)[state]);
      CHECK_FALSE(client.ended());
      client.close();
      CHECK(site.end() == "");
    }
}

TEST_CASE("AUTH: the dialogues of PLAIN and LOGIN", "[session][auth]") {
  struct Row {
    const char* why;
    std::vector<std::pair<std::string, std::string>> turns;
  };
  const std::string name = encode_base64("anna"), right = encode_base64("right");
  const auto row = GENERATE_COPY(values<Row>({
      {"PLAIN", {{"AUTH PLAIN", "334"}, {anna, "235 2.7.0"}}},
      {"PLAIN, wrong", {{"AUTH PLAIN", "334"}, {wrong, "535 5.7.8"}, {"NOOP", "250 2.0.0"}}},
      {"PLAIN, cancelled", {{"AUTH PLAIN", "334"}, {"*", "501 5.7.0"}, {"NOOP", "250 2.0.0"}}},
      {"PLAIN, nothing", {{"AUTH PLAIN", "334"}, {"", "501 5.5.2"}, {"NOOP", "250 2.0.0"}}},
      {"PLAIN, no base64", {{"AUTH PLAIN", "334"}, {"NOOP?", "501 5.5.2"}}},
      {"PLAIN, 8 bits", {{"AUTH PLAIN", "334"}, {"\xe4\xe4\xe4\xe4", "501 5.5.2"}}},
      {"LOGIN", {{"AUTH LOGIN", "334"}, {name, "334"}, {right, "235 2.7.0"}}},
      {"LOGIN, the name at once", {{"AUTH LOGIN " + name, "334"}, {right, "235 2.7.0"}}},
      {"LOGIN, wrong", {{"AUTH LOGIN", "334"}, {name, "334"}, {name, "535 5.7.8"}}},
      {"LOGIN, no name", {{"AUTH LOGIN", "334"}, {"", "501 5.5.2"}}},
      {"LOGIN, no password", {{"AUTH LOGIN", "334"}, {name, "334"}, {"", "535 5.7.8"}}},
      {"LOGIN, cancelled late", {{"AUTH LOGIN", "334"}, {name, "334"}, {"*", "501 5.7.0"}}},
      {"another after a failure",
       {{"AUTH PLAIN " + wrong, "535 5.7.8"},
        {"AUTH LOGIN", "334"},
        {name, "334"},
        {right, "235 2.7.0"}}},
  }));
  CAPTURE(row.why);
  const auto pieces = GENERATE(testing::Pieces::whole, testing::Pieces::single);
  Site site;
  Client client(site, {.pieces = pieces});
  CHECK(client.say(ehlo) == "220, 250");
  for (const auto& [line, reply] : row.turns) CHECK(client.say(line + "\r\n") == reply);
  client.close();
  CHECK(site.end() == "");
}

TEST_CASE("AUTH: what the prompts are", "[session][auth]") {
  Site site;
  Client client(site);
  client.say(ehlo);
  client.send("AUTH PLAIN\r\n");
  CHECK(client.read() == "334 \r\n");
  client.say("*\r\n");
  client.send("AUTH LOGIN\r\n");
  CHECK(client.read() == "334 VXNlcm5hbWU6\r\n");
  client.send(encode_base64("anna") + "\r\n");
  CHECK(client.read() == "334 UGFzc3dvcmQ6\r\n");
}

TEST_CASE("AUTH: what is offered is what somebody can serve", "[session][auth]") {
  struct Row {
    const char* why;
    const char* keys;
    std::string wanted;  // "": AUTH is not listed
    void (*change)(World&);
  };
  const auto row = GENERATE(values<Row>({
      {"passwords", "", "AUTH PLAIN LOGIN\r", [](World&) {}},
      {"secrets", "secrets = true", "AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256\r", [](World&) {}},
      {"not in the clear", "", "", [](World& w) { w.settings.auth_without_tls = false; }},
      {"not on this listener", "", "",
       [](World& w) { w.listener.auth = session::Listener::Auth::off; }},
      {"not switched off", "mode = \"off\"", "", [](World&) {}},
      {"not who only watches", "mode = \"observe\"", "", [](World&) {}},
      {"as the site wants", "secrets = true", "AUTH SCRAM-SHA-256\r",
       [](World& w) {
         w.settings.auth_mechanisms = {};
         w.settings.auth_mechanisms.add(smtp::AuthMechanism::scram_sha_256);
       }},
  }));
  CAPTURE(row.why);
  Site site(row.keys);
  row.change(site);
  Client client(site);
  client.read();
  client.send(ehlo);
  const std::string offers = client.read();
  CHECK(contains(offers, "AUTH ") == !row.wanted.empty());
  CHECK(contains(offers, row.wanted));
}

TEST_CASE("AUTH: why it is not to be had", "[session][auth]") {
  Site site("secrets = true");
  std::string wanted;
  SECTION("in the clear") {
    site.settings.auth_without_tls = false;
    wanted = "538 5.7.11";
  }
  SECTION("a mechanism that the site finds too weak") {
    site.settings.auth_mechanisms = {};
    site.settings.auth_mechanisms.add(smtp::AuthMechanism::scram_sha_256);
    wanted = "534 5.7.9";
  }
  SECTION("not on this listener") {
    site.listener.auth = session::Listener::Auth::off;
    wanted = "502 5.5.1";
  }
  Client client(site);
  client.say(ehlo);
  CHECK(client.say("AUTH PLAIN " + anna + "\r\n") == wanted);
  CHECK(seen == "");
}

TEST_CASE("AUTH: a back end that cannot tell is no refusal", "[session][auth]") {
  struct Row {
    const char* user;
    const char* keys;
    const char* reply;
  };
  const auto row = GENERATE(values<Row>({
      {"broken", "", "454 4.7.0"},
      {"broken", "on_error = \"reject\"", "535 5.7.8"},
      {"broken", "on_error = \"next\"", "535 5.7.8"},  // and nobody is behind it
      {"thrower", "", "454 4.7.0"},
      {"broken", "secrets = true", "454 4.7.0"},
      {"anna", "wait = \"20s\"", "454 4.7.0"},  // beyond its timeout of 5 s
      {"nobody", "", "535 5.7.8"},
  }));
  CAPTURE(row.user, row.keys);
  Site site(row.keys);
  Client client(site);
  client.say(ehlo);
  const std::string line = encode_base64("\0"s + row.user + "\0right"s);
  CHECK(client.say("AUTH PLAIN " + line + "\r\n", 10s) == row.reply);
  CHECK(client.say("NOOP\r\n") == "250 2.0.0");
  client.close();
  CHECK(site.end() == "");
  const bool failed = row.reply[0] == '4';
  CHECK(site.counted.get(Count::auth_failed) == (failed ? 1 : 0));
  CHECK(site.counted.get(Count::auth_refused) == (failed ? 0 : 1));
}

TEST_CASE("AUTH: the next instance is asked about users that are not the first one's",
          "[session][auth]") {
  Site site("name = \"directory:one\"\non_error = \"next\"");
  site.load("directory", "name = \"directory:two\"\nsecrets = true");
  Client client(site);
  client.say(ehlo);
  SECTION("the first that knows him decides") {
    CHECK(client.say("AUTH PLAIN " + wrong + "\r\n") == "535 5.7.8");
    CHECK(seen == "PLAIN anna clear, ");
  }
  SECTION("one that fails is passed over") {
    CHECK(client.say("AUTH PLAIN " + encode_base64("\0thrower\0right"s) + "\r\n") == "535 5.7.8");
  }
  SECTION("and nobody knows a stranger") {
    CHECK(client.say("AUTH PLAIN " + encode_base64("\0nobody\0right"s) + "\r\n") == "535 5.7.8");
  }
}

TEST_CASE("AUTH: a secret serves passwords and keys", "[session][auth]") {
  for (const char* user : {"anna", "keys"})
    for (const bool right : {true, false}) {
      Site site("secrets = true");
      Client client(site);
      client.say(ehlo);
      const std::string line = encode_base64("\0"s + user + "\0"s + (right ? "right" : "Right"));
      CHECK(client.say("AUTH PLAIN " + line + "\r\n") == (right ? "235 2.7.0" : "535 5.7.8"));
    }
}

TEST_CASE("AUTH: CRAM-MD5 and SCRAM-SHA-256 ask the same of users that there are not",
          "[session][auth]") {
  const auto challenge = [](const std::string& user) {
    Site site("secrets = true");
    Client client(site);
    client.say(ehlo);
    client.send("AUTH SCRAM-SHA-256 " + encode_base64("n,,n=" + user + ",r=abc") + "\r\n");
    const std::string line = client.read();
    CHECK(line.starts_with("334 "));
    const auto text = decode_base64(line.substr(4, line.size() - 6));
    REQUIRE(text);
    CHECK(text->starts_with("r=abc"));
    return text->substr(text->find(",s="));
  };
  CHECK(challenge("stranger") == challenge("stranger"));
  CHECK(challenge("stranger") != challenge("another"));
  CHECK(challenge("stranger").size() == challenge("anna").size());
  CHECK(challenge("stranger").size() == challenge("keys").size());
  CHECK(challenge("anna") == challenge("anna"));

  Site site("secrets = true");
  Client client(site);
  client.say(ehlo);
  CHECK(client.say("AUTH CRAM-MD5 " + anna + "\r\n") == "501 5.5.2");  // it begins with us
  CHECK(client.say("AUTH CRAM-MD5\r\n") == "334");
  CHECK(client.say(encode_base64("stranger " + std::string(32, 'a')) + "\r\n") == "535 5.7.8");
}

TEST_CASE("AUTH: a failure is answered at the same time, whatever the plugins took",
          "[session][auth][line:19]") {
  for (const char* keys : {"", "wait = \"200ms\""}) {
    Site site(keys);
    Client client(site);
    client.say(ehlo);
    CHECK(client.say("AUTH PLAIN " + wrong + "\r\n", 290ms) == "");
    CHECK(client.hear(20ms) == "535 5.7.8");
  }
}

TEST_CASE("AUTH: attempts are bounded and counted, and the password is nowhere",
          "[session][auth]") {
  Site site;
  Client client(site);
  client.say(ehlo);
  CHECK(client.say("AUTH PLAIN " + wrong + "\r\n") == "535 5.7.8");
  CHECK(client.say("AUTH LOGIN " + encode_base64("anna") + "\r\n") == "334");
  CHECK(client.say(encode_base64("wrong") + "\r\n") == "535 5.7.8");
  CHECK(client.say("AUTH PLAIN " + wrong + "\r\n") == "535 5.7.8, 421 4.7.0");
  CHECK(client.ended());
  CHECK(site.end() == "");
  CHECK(site.counted.get(Count::auth_refused) == 3);
  CHECK(contains(all_records(site), R"("auth_refused":3)"));
  CHECK(contains(site.logged(), "'anna'"));
  for (const std::string& hidden : {"wrong"s, wrong, encode_base64("wrong")}) {
    CHECK_FALSE(contains(site.logged(), hidden));
    CHECK_FALSE(contains(all_records(site), hidden));
  }
}

TEST_CASE("AUTH: what follows before the reply ends the session", "[session][auth]") {
  Site site;
  Client client(site);
  client.say(ehlo);
  SECTION("a command") {
    CHECK(client.say("AUTH PLAIN " + anna + "\r\nMAIL FROM:<a@b.example>\r\n") == "503 5.5.0");
  }
  SECTION("a response that was not asked for") {
    CHECK(client.say("AUTH LOGIN\r\n" + encode_base64("anna") + "\r\n") == "503 5.5.0");
  }
  SECTION("more than one response") {
    CHECK(client.say("AUTH LOGIN\r\n") == "334");
    CHECK(client.say(encode_base64("anna") + "\r\n" + encode_base64("right") + "\r\n") ==
          "503 5.5.0");
  }
  CHECK(client.ended());
  CHECK(seen == "");
  client.close();
  CHECK(site.end() == "");
}

TEST_CASE("AUTH: lines up to 12,288 octets, and no more", "[session][auth][limits]") {
  const auto exchange = [](std::size_t octets, bool initial) {
    Site site;
    Client client(site);
    client.say(ehlo);
    const std::string start = initial ? "AUTH PLAIN " : "";
    if (!initial) CHECK(client.say("AUTH PLAIN\r\n") == "334");
    std::string line = start + std::string(octets - start.size() - 2, 'A');
    return client.say(line + "\r\n");
  };
  CHECK(exchange(12'288, false) == "501 5.5.2");  // NULs: no PLAIN
  CHECK(exchange(12'289, false) == "500 5.5.6");
  CHECK(exchange(12'287, true) == "501 5.5.2");
  CHECK(exchange(12'288, true) == "501 5.5.2");
  CHECK(exchange(12'289, true) == "500 5.5.6");
}

TEST_CASE("AUTH: data of each length is answered, and nobody is let in", "[session][auth]") {
  Site site;
  site.settings.errors = 1000;
  site.settings.auth_attempts = 100;
  Client client(site);
  client.say(ehlo);
  for (std::size_t length = 0; length <= 70; ++length) {
    CHECK(client.say("AUTH PLAIN\r\n") == "334");
    CHECK(client.say(std::string(length, 'A') + "\r\n") == "501 5.5.2");
  }
  client.close();
  CHECK(site.end() == "");
}

TEST_CASE("AUTH: who has authenticated may relay, is exempt, and is on record",
          "[session][auth][relay]") {
  Site site("refuse = true\nenforce_at = \"mail\"\nexempt = { authenticated = true }");
  Client client(site);
  client.say(ehlo);
  CHECK(client.say("MAIL FROM:<a@b.example>\r\n") == "550 5.7.1");
  CHECK(client.say("AUTH PLAIN " + anna + "\r\n") == "235 2.7.0");
  client.send(ehlo);
  CHECK_FALSE(contains(client.read(), "AUTH"));
  CHECK(client.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<x@else.example>\r\nDATA\r\n") ==
        "250 2.1.0, 250 2.0.0, 354");
  CHECK(client.say("Subject: s\r\n\r\nhello\r\n.\r\n") == "250 2.0.0");
  client.close();
  CHECK(site.end() == "");
  CHECK(seen == "MAIL - -, PLAIN anna clear, MAIL anna PLAIN, ");
  CHECK(contains(site.downstream.ledger().at(0).content, "ESMTPA"));
  const std::string records = all_records(site);
  CHECK(contains(records, R"("auth":{"user":"anna","mechanism":"PLAIN","by":"directory"})"));
  CHECK(contains(records, R"("protocol":"ESMTPA")"));
  CHECK(site.counted.get(Count::auth_accepted) == 1);
}

TEST_CASE("AUTH=: is kept of users, and unknown of strangers", "[session][auth]") {
  struct Row {
    bool authenticated;
    const char* given;
    std::string sent;  // to the downstream
  };
  const auto row = GENERATE(values<Row>({
      {true, "AUTH=e+3Dmc2@example.com SIZE=10", "AUTH=e+3Dmc2@example.com"},
      {false, "AUTH=e+3Dmc2@example.com SIZE=10", "AUTH=<>"},
      {false, "SIZE=10 auth=anna", "AUTH=<>"},
      {true, "AUTH=<>", "AUTH=<>"},
      {false, "AUTH=<>", "AUTH=<>"},
  }));
  CAPTURE(row.authenticated, row.given);
  Site site;
  site.downstream.settings().capabilities = {"PIPELINING", "SIZE 100000", "AUTH PLAIN"};
  Client client(site);
  client.say(ehlo);
  if (row.authenticated) client.say("AUTH PLAIN " + anna + "\r\n");
  CHECK(client.say("MAIL FROM:<a@b.example> " + std::string(row.given) + "\r\n") == "250 2.1.0");
  CHECK(client.say("RCPT TO:<x@example.net>\r\nDATA\r\n") == "250 2.0.0, 354");
  CHECK(client.say("Subject: s\r\n\r\nhello\r\n.\r\n") == "250 2.0.0");
  client.close();
  CHECK(site.end() == "");
  CHECK(contains(site.downstream.ledger().at(0).reverse_path, row.sent));
}

TEST_CASE("AUTH=: refuses what hides a line (CVE-2020-28021)", "[session][auth]") {
  Site site;
  site.settings.errors = 1000;
  Client client(site);
  client.say(ehlo);
  client.say("AUTH PLAIN " + anna + "\r\n");
  for (int octet = 0; octet < 256; ++octet) {
    const char digits[] = "0123456789ABCDEF";
    const std::string escaped{'+', digits[octet / 16], digits[octet % 16]};
    const bool fine = octet >= 0x20 && octet < 0x7f;
    CAPTURE(escaped);
    CHECK(client.say("MAIL FROM:<a@b.example> AUTH=a" + escaped + "X-Evil:+201\r\n", 10ms) ==
          (fine ? "250 2.1.0" : "501 5.5.4"));
    if (fine) client.say("RSET\r\n", 10ms);
  }
}

TEST_CASE("AUTH: where a listener requires it, MAIL waits for it", "[session][auth]") {
  Site site;
  site.listener.auth = session::Listener::Auth::require;
  Client client(site);
  client.say(ehlo);
  CHECK(client.say("MAIL FROM:<a@b.example>\r\n") == "530 5.7.0");
  CHECK(client.say("NOOP\r\n") == "250 2.0.0");
  CHECK(client.say("AUTH PLAIN " + anna + "\r\n") == "235 2.7.0");
  CHECK(client.say("MAIL FROM:<a@b.example>\r\n") == "250 2.1.0");
}

TEST_CASE("AUTH: XCLIENT tells who has authenticated, and forgets who had", "[session][auth]") {
  Site site;
  site.listener.xclient_from = {*Network::parse("192.0.2.1")};
  Client client(site);
  client.read();
  client.send(ehlo);
  CHECK(contains(client.read(), " LOGIN "));
  SECTION("told") {
    CHECK(client.say("XCLIENT ADDR=198.51.100.7 LOGIN=berta+40example.net\r\n") == "220");
    client.send(ehlo);
    CHECK_FALSE(contains(client.read(), "AUTH"));
    CHECK(client.say("AUTH PLAIN " + anna + "\r\n") == "503 5.5.1");
    CHECK(client.say("MAIL FROM:<a@b.example>\r\nRCPT TO:<x@else.example>\r\n") ==
          "250 2.1.0, 250 2.0.0");
    CHECK(seen == "MAIL berta@example.net XCLIENT, ");
  }
  SECTION("not told") {
    CHECK(client.say("XCLIENT ADDR=198.51.100.7 LOGIN=[UNAVAILABLE]\r\n") == "220");
    CHECK(client.say(ehlo + "MAIL FROM:<a@b.example>\r\nRCPT TO:<x@else.example>\r\n") ==
          "250, 250 2.1.0, 550 5.7.1");
  }
  SECTION("forgotten") {
    CHECK(client.say("AUTH PLAIN " + anna + "\r\n") == "235 2.7.0");
    CHECK(client.say("XCLIENT ADDR=198.51.100.7\r\n") == "220");
    CHECK(client.say(ehlo + "MAIL FROM:<a@b.example>\r\nRCPT TO:<x@else.example>\r\n") ==
          "250, 250 2.1.0, 550 5.7.1");
    CHECK(seen == "PLAIN anna clear, MAIL - -, ");
  }
  SECTION("what cannot be a name") {
    for (const char* name : {"a+0Ab", "a+00", "+FF", "a b"})
      CHECK(client.say("XCLIENT LOGIN="s + name + "\r\n") == "501 5.5.4");
  }
  client.close();
  CHECK(site.end() == "");
}

TEST_CASE("AUTH: a client that goes meanwhile leaves nothing behind", "[session][auth]") {
  Site site("wait = \"3s\"");
  Client client(site);
  client.say(ehlo);
  SECTION("while a plugin thinks") { CHECK(client.say("AUTH PLAIN " + anna + "\r\n") == ""); }
  SECTION("in the dialogue") { CHECK(client.say("AUTH PLAIN\r\n") == "334"); }
  SECTION("before its 535") {
    site.settings.auth_failure_time = 9s;
    CHECK(client.say("AUTH PLAIN " + wrong + "\r\n", 5s) == "");
  }
  SECTION("when the server drains") {
    CHECK(client.say("AUTH PLAIN\r\n") == "334");
    site.drain();
    CHECK(client.hear() == "421 4.3.2");
  }
  client.close();
  CHECK(site.end() == "");
}

TEST_CASE("AUTH: who says nothing more is sent away", "[session][auth]") {
  Site site;
  Client client(site);
  client.say(ehlo);
  CHECK(client.say("AUTH LOGIN\r\n") == "334");
  CHECK(client.say("YW5uYQ==", 298s) == "");
  CHECK(client.hear(3s) == "421 4.4.2");
  client.close();
  CHECK(site.end() == "");
}
