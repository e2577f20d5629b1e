// Invariant 1 for the Maildir: each file operation fails in turn, the power fails at each.
#include <fmt/format.h>

#include <string>

#include "catch.hpp"
#include "support/client.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Client;
using test::World;

namespace {

enum class Size { memory, file };

std::string content(Size size) {
  std::string out = "Subject: x\r\n\r\n";
  const std::size_t least = size == Size::memory ? 100 : 150'000;
  while (out.size() < least) out += "a line that is repeated, and not stuffed\r\n";
  return out;
}

std::string wire(Size size) {
  return "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\n"
         "RCPT TO:<y@example.net>\r\nDATA\r\n" +
         content(size) + ".\r\n";
}

void prepare(World& world, bool fresh) {
  world.settings.memory_octets = 20'000;
  if (!fresh)
    for (const char* folder : {"/mail/tmp", "/mail/new", "/mail/cur"})
      world.files.add_directory(folder);
  world.deliver_to_maildir();
}

bool is_new(const std::string& path) { return path.rfind("/mail/new/", 0) == 0; }

// How many messages lie in new/; -1 when one of them is not whole.
int delivered(const testing::Tree& tree, Size size) {
  int count = 0;
  const std::string whole = content(size);
  const std::string head =
      "Return-Path: <a@b.example>\r\nDelivered-To: x@example.net\r\nDelivered-To: y@example.net\r\n"
      "Received: from c.example ";
  for (const auto& [path, stored] : tree) {
    if (!is_new(path)) continue;
    const bool good = stored.starts_with(head) && stored.ends_with("\r\n" + whole);
    if (!good) return -1;
    ++count;
  }
  return count;
}

// How many operations one message takes.
std::size_t operations(Size size, bool fresh) {
  World world;
  prepare(world, fresh);
  Client client(world);
  client.say(wire(size), 60s);
  client.close();
  CHECK(world.end() == "");
  CHECK(delivered(world.files.crash(), size) == 1);
  return world.files.operations().size();
}

}  // namespace

TEST_CASE("Maildir: a message is there, or it was refused, whatever operation fails",
          "[simulation][maildir]") {
  const Size size = GENERATE(Size::memory, Size::file);
  const bool fresh = GENERATE(false, true);
  const std::size_t count = operations(size, fresh);
  REQUIRE(count > 4);
  for (const Errc why : {Errc::no_space, Errc::io, Errc::descriptors, Errc::permission})
    for (const bool lasts : {false, true})
      for (std::size_t n = 1; n <= count; ++n) {
        World world(n);
        prepare(world, fresh);
        if (lasts)
          world.files.fail_from(n, why);
        else
          world.files.fail_at(n, why);
        std::string reply;
        {
          Client client(world);
          reply = client.say(wire(size), 60s);
          reply.erase(0, reply.find("354, ") + 5);
        }
        const std::string left = world.end();
        const std::string operation = world.files.operations().at(n - 1);
        CAPTURE(name(why), lasts, n, fresh, operation, left);
        CHECK(left == "");
        const bool accepted = reply == "250 2.0.0";
        const bool full = why == Errc::no_space && operation.rfind("read", 0) != 0;
        if (!accepted && full) CHECK(reply == "452 4.3.1");
        if (!accepted && why != Errc::no_space) CHECK(reply == "451 4.3.0");
        CHECK(delivered(world.files.tree(), size) == (accepted ? 1 : 0));
        // Who may not open the folder above has not made ours in it.
        const bool not_ours = why == Errc::permission && operation == "sync_directory /";
        if (!not_ours) CHECK(delivered(world.files.crash(), size) == (accepted ? 1 : 0));
        // Nothing is left lying in tmp/, if it could be removed.
        CHECK(world.files.tree().size() == (accepted ? 1u : 0u));
      }
}

TEST_CASE("Maildir: an acknowledged message survives the power failing at any instant",
          "[simulation][maildir]") {
  const Size size = GENERATE(Size::memory, Size::file);
  const bool fresh = GENERATE(false, true);
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    World world(seed);
    prepare(world, fresh);
    testing::Random dice(seed);
    Client client(world);
    client.send(wire(size));
    std::string heard;
    for (std::size_t turn = 0; turn < 100'000 && world.sim.elapsed() < 60s && world.sim.run_turn();
         ++turn) {
      heard += client.stream().input();
      client.stream().consume(client.stream().input().size());
      const bool acknowledged = heard.find("\r\n250 2.0.0 delivered as ") != std::string::npos;
      CAPTURE(seed, turn, fresh, acknowledged);
      for (const auto& tree :
           {world.files.crash(), world.files.crash(dice), world.files.crash(dice)}) {
        const int count = delivered(tree, size);
        if (acknowledged && count != 1) FAIL("acknowledged, and not there after a crash");
        if (count < 0) FAIL("not whole in new/ after a crash");
      }
    }
    CHECK(heard.find("delivered as") != std::string::npos);
    client.close();
    CHECK(world.end() == "");
  }
}

TEST_CASE("Maildir: a second message needs no more of the folders", "[simulation][maildir]") {
  World world;
  prepare(world, true);
  Client client(world);
  CHECK(client.say(wire(Size::memory), 10s).ends_with("354, 250 2.0.0"));
  CHECK(client.say("MAIL FROM:<>\r\nRCPT TO:<x@example.net>\r\nDATA\r\na: b\r\n.\r\n")
            .ends_with("354, 250 2.0.0"));
  client.close();
  CHECK(world.end() == "");
  CHECK(world.files.crash().size() == 2);
  std::size_t made = 0;
  for (const std::string& each : world.files.operations())
    made += each.rfind("make_directory", 0) == 0;
  CHECK(made == 3);
}
