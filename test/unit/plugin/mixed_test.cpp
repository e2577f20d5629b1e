// One outcome per message, though its recipients want different ones.
#include <fmt/format.h>

#include <string>

#include "catch.hpp"
#include "fake.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using test::contains;
using testing::Harness;

namespace {

// a@example.net wants the message, a@strict.example does not.
void prepare(Harness& h, const std::string& hook, const std::string& mixed) {
  h.recipients.add_domain("strict.example");
  h.add<plugins::Fake>("fake");
  h.configure(fmt::format("mixed = \"{}\"", mixed));
  h.load("fake", fmt::format("at = \"{}\"\nmode = \"off\"", hook));
  h.domain("strict.example", "[plugin.fake]\nmode = \"on\"\n");
}

std::string forward_paths(const Harness& h) {
  std::string all;
  for (const auto& delivery : h.downstream.ledger())
    for (const std::string& path : delivery.forward_paths)
      if (delivery.promised()) all += path + " ";
  return all;
}

}  // namespace

TEST_CASE("mixed: never is one delivered and the whole refused", "[plugin][mixed]") {
  const std::string hook = GENERATE("data", "headers", "message");
  const std::string mixed = GENERATE("split", "strictest", "lenient");
  CAPTURE(hook, mixed);
  Harness h;
  prepare(h, hook, mixed);
  h.client.connect();
  h.client.greeting();
  CHECK(h.client.recipient("a@example.net").code == 250);
  CHECK(h.client.recipient("a@strict.example").code == 250);
  const auto reply = h.client.message();
  CHECK(reply.code == (mixed == "split"       ? 451
                       : mixed == "strictest" ? 550 + 4 * (hook == "data")
                                              : 250));
  CHECK(forward_paths(h) ==
        (mixed == "lenient" ? "<a@example.net> <a@strict.example> " : std::string()));

  // The second try.
  const auto first = h.client.recipient("a@example.net");
  const auto second = h.client.recipient("a@strict.example");
  CHECK(first.code == 250);
  CHECK(second.code == (mixed == "split" ? 450 : 250));
  if (mixed == "split") {
    CHECK(h.client.message().code == 250);
    CHECK(forward_paths(h) == "<a@example.net> ");
    CHECK(h.client.recipient("a@strict.example").code == 250);
    CHECK(h.client.message().code == (hook == "data" ? 554 : 550));
  }
  CHECK(h.end() == "");
}

TEST_CASE("a message that all refuse has their refusal", "[plugin][mixed]") {
  Harness h;
  prepare(h, "message", "lenient");
  h.client.connect();
  h.client.greeting();
  CHECK(h.client.recipient("a@strict.example").code == 250);
  CHECK(h.client.recipient("b@strict.example").code == 250);
  CHECK(h.client.message().code == 550);
  CHECK(forward_paths(h).empty());
  CHECK(h.end() == "");
}

TEST_CASE("drop: a copy that may be dropped is, on record, and the others are delivered",
          "[plugin][drop]") {
  const std::string hook = GENERATE("rcpt", "data", "message");
  CAPTURE(hook);
  Harness h;
  h.recipients.add_domain("hole.example");
  h.add<plugins::Fake>("fake");
  h.load("fake", fmt::format("at = \"{}\"\nact = \"drop\"\nmay_drop = true\nmode = \"off\"", hook));
  h.domain("hole.example", "[plugin.fake]\nmode = \"on\"\n");
  h.client.connect();
  h.client.greeting();
  CHECK(h.client.recipient("a@example.net").code == 250);
  CHECK(h.client.recipient("a@hole.example").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(forward_paths(h) == "<a@example.net> ");
  CHECK(h.client.recipient("a@hole.example").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(forward_paths(h) == "<a@example.net> ");
  CHECK(h.end() == "");
  CHECK(contains(test::all_records(h), "\"effect\":\"dropped\""));
}
