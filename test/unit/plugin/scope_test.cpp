// Scopes: what works for a client, a transaction or a recipient ends with it.
#include <fmt/format.h>

#include <string>

#include "catch.hpp"
#include "fake.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using testing::Harness;

namespace postern::plugins {
namespace {

struct Mark : Fact<"test.mark", 1> {
  std::string from;
};

// Marks each transaction with its sender, and refuses one that has another's mark.
class Marker final : public PluginOf<Marker> {
 public:
  void setup(Hooks& hooks) override {
    hooks.on_mail(this, &Marker::mark);
    hooks.on_data(this, &Marker::compare);
  }

 private:
  void mark(Transaction& tx) {
    if (tx.facts().find<Mark>()) throw std::logic_error("a fact of another transaction");
    Mark mark;
    mark.from = tx.reverse_path().text;
    tx.facts().put(std::move(mark));
  }
  Verdict compare(Transaction& tx) {
    const Mark* mark = tx.facts().find<Mark>();
    if (mark && mark->from == tx.reverse_path().text) return Verdict::next();
    return Verdict::reject({5, 0, 0}, "a stale fact");
  }
};

}  // namespace
}  // namespace postern::plugins

namespace {

// The dialogue up to where the plugin thinks.
const std::string dialogue[] = {"EHLO client.example\r\n", "MAIL FROM:<a@b.example>\r\n",
                                "RCPT TO:<x@example.net>\r\n", "DATA\r\n",
                                "Subject: s\r\n\r\nb\r\n.\r\n"};

}  // namespace

TEST_CASE("scopes: a hook that thinks ends with what it thinks about", "[plugin][scopes]") {
  const std::string hook =
      GENERATE("connect", "helo", "mail", "rcpt", "data", "headers", "message");
  const std::string later = GENERATE("now", "message");
  const std::string event = GENERATE("RSET\r\n", "EHLO again.example\r\n", "close", "reset",
                                     "vanish", "MAIL FROM:<c@d.example>\r\n");
  const std::size_t steps = GENERATE(range<std::size_t>(0, 6));
  CAPTURE(hook, later, event, steps);
  Harness h;
  h.add<plugins::Thinker>("thinker");
  h.load("thinker",
         fmt::format("at = \"{}\"\nwait = \"50m\"\ntimeout = \"1h\"\nenforce_at = \"{}\"", hook,
                     later));
  auto [theirs, ignored] = std::pair(h.connect(), 0);
  testing::ScriptedClient client(std::move(theirs));
  for (std::size_t i = 0; i < steps && i < std::size(dialogue); ++i) {
    client.send(dialogue[i]);
    h.run_for(1s);
  }
  if (event == "close")
    client.close();
  else if (event == "reset")
    client.reset();
  else if (event == "vanish")
    client.vanish();
  else
    client.send(event);
  h.run_for(1s);
  const bool is_command = event.find('\n') != std::string::npos;
  if (is_command) client.reset();
  h.run_for(1s);
  // An end alone may be half of one, where there is input that was not looked at yet; a client that
  // has vanished is known only by our own limits.
  if (is_command || event == "reset") CHECK(h.running() == 0);
  CHECK(h.end() == "");
}

TEST_CASE("scopes: no fact of a transaction is seen in the next", "[plugin][scopes]") {
  const std::string between = GENERATE("RSET", "EHLO client.example", "DATA");
  Harness h;
  h.add<plugins::Marker>("marker");
  h.load("marker");
  h.client.connect();
  h.client.greeting();
  h.client.command("EHLO client.example");
  CHECK(h.client.command("MAIL FROM:<first@b.example>").code == 250);
  CHECK(h.client.command("RCPT TO:<x@example.net>").code == 250);
  if (between == "DATA")
    CHECK(h.client.message().code == 250);
  else
    CHECK(h.client.command(between).code == 250);
  CHECK(h.client.command("MAIL FROM:<second@b.example>").code == 250);
  CHECK(h.client.command("RCPT TO:<x@example.net>").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(h.end() == "");
}
