// Several workers, and what their end leaves behind.
#include "processes.hpp"

#include <random>

#include "worlds.hpp"

using namespace postern;
using namespace postern::store;

namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr int rounds = 50;  // a process takes a hundred times as long to make
#else
constexpr int rounds = 1000;
#endif

LmdbPlace place_in(const policy::TemporaryFolder& folder) {
  return {folder.path("state"), 16'000'000, true};
}

std::uint64_t sum_of(std::string_view text) {
  std::uint64_t sum = 0;
  for (const char octet : text) sum = sum * 1'000'003 + static_cast<std::uint8_t>(octet);
  return sum;
}

// Content that tells whether it is whole, and whose it is.
std::string content_of(const std::string& key, int round, std::size_t length) {
  std::string content = key + " " + std::to_string(round) + " " + std::string(length, 'c');
  return content + " " + std::to_string(sum_of(content));
}
bool is_whole(std::string_view key, std::string_view content) {
  const auto blank = content.rfind(' ');
  return blank != content.npos && content.starts_with(key) &&
         std::to_string(sum_of(content.substr(0, blank))) == content.substr(blank + 1);
}

class Silence final : public Bell {
  void ring() override {}
};

// Writes, prolongs, counts and erases, in transactions of its writer, until it is killed.
[[noreturn]] void write_for_ever(const LmdbPlace& where, int round, Pipe& pipe) {
  std::vector<std::string> notes;
  auto file = LmdbFile::open(where, notes);
  if (!file || !notes.empty()) _exit(3);
  Silence bell;
  LmdbWriter writer(where, system_clock(), bell, *file, Error(Errc::io));
  std::minstd_rand random(static_cast<unsigned>(round));
  for (std::uint64_t number = 1;; ++number) {
    const std::string key = "key " + std::to_string(random() % 2000);
    Update update;
    update.now = system_clock().now();
    update.owner = (*file)->owners().me();
    update.lifetime = milliseconds(1 + random() % 2000);
    switch (random() % 8) {
      case 0:
        update.kind = Update::Kind::erase;
        break;
      case 1:
        update.kind = Update::Kind::count;
        break;
      case 2:
        update.kind = Update::Kind::hold;
        update.amount = 1000;
        break;
      default:
        update.value = content_of(key, round, random() % 3000);
    }
    if (!writer.queue({number, key, std::move(update), number % 64 == 0})) usleep(100);
    if (number == 20) pipe.say('b');
  }
}

}  // namespace

TEST_CASE("LmdbStore: kill -9 in the midst of writing corrupts nothing", "[store][lmdb][kill]") {
  const policy::TemporaryFolder folder;
  const LmdbPlace where = place_in(folder);
  std::minstd_rand random(42);
  std::size_t entries = 0;
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    {
      Child writer([&](Pipe& pipe) -> int { write_for_ever(where, round, pipe); });
      REQUIRE(writer.pipe().hear() == 'b');
      usleep(static_cast<useconds_t>(random() % 4000));  // any moment will do
    }
    std::vector<std::string> notes;
    auto file = LmdbFile::open(where, notes);
    REQUIRE(file.has_value());
    REQUIRE(notes.empty());
    LmdbReader reader(*file);
    const auto sound = reader.verify();
    if (!sound) FAIL(sound.error().describe());
    const auto items = reader.scan("", "", 1'000'000, WallTime());
    REQUIRE(items.has_value());
    for (const Item& item : *items)
      if (item.entry.form == Form::value && !is_whole(item.key, item.entry.content))
        FAIL(item.key + ": " + item.entry.content);
    entries += items->size();
  }
  CHECK(entries > static_cast<std::size_t>(rounds) * 20);
}

TEST_CASE("LmdbStore: what one worker writes, another sees", "[store][lmdb]") {
  const policy::TemporaryFolder folder;
  const LmdbPlace where = place_in(folder);
  Child other([&](Pipe& pipe) {
    LoopWorld world(where);
    State state(*world.store, "test");
    pipe.say('r');
    for (int i = 0; i < 100; ++i) {
      const std::string key = std::to_string(i);
      until([&] { return state.get(key).value_or(std::nullopt) == "ping"; });
      if (!state.put(key, "pong", 1h)) return 1;
    }
    return pipe.hear() == 'e' ? 0 : 1;
  });
  REQUIRE(other.pipe().hear() == 'r');
  LoopWorld world(where);
  State state(*world.store, "test");
  for (int i = 0; i < 100; ++i) {
    const std::string key = std::to_string(i);
    REQUIRE(state.put(key, "ping", 1h).has_value());
    until([&] { return state.get(key).value_or(std::nullopt) == "pong"; });
  }
  other.pipe().say('e');
  CHECK(other.status() == 0);
}

TEST_CASE("LmdbStore: two workers lose no count", "[store][lmdb]") {
  const policy::TemporaryFolder folder;
  const LmdbPlace where = place_in(folder);
  const auto count = [&] {
    LoopWorld world(where);
    for (int i = 0; i < 2000; ++i)
      if (!State(*world.store, "test").count("c", 80s)) return 1;
    world.flush();
    return 0;
  };
  Child other([&](Pipe& pipe) { return pipe.hear() == 'g' ? count() : 1; });
  other.pipe().say('g');
  CHECK(count() == 0);
  CHECK(other.status() == 0);
  LoopWorld world(where);
  CHECK(State(*world.store, "test").counted("c", 80s) == 4000u);
}

TEST_CASE("LmdbStore: places and leases of a worker that is killed are free",
          "[store][lmdb][kill]") {
  const policy::TemporaryFolder folder;
  const LmdbPlace where = place_in(folder);
  Child other([&](Pipe& pipe) {
    LoopWorld world(where);
    State state(*world.store, "test");
    const auto place = world.run(state.hold("p", 2));
    const auto lease = world.run(state.lease("work", 1h));
    pipe.say(place && *place && lease && *lease ? 'y' : 'n');
    pipe.hear();
    return 0;
  });
  REQUIRE(other.pipe().hear() == 'y');
  LoopWorld world(where);
  State state(*world.store, "test");
  const auto hold = [&] {
    auto place = world.run(state.hold("p", 2));
    REQUIRE(place.has_value());
    return std::move(*place);
  };
  const Place first = hold();
  CHECK(first);
  CHECK_FALSE(hold());
  CHECK(world.run(state.lease("work", 1h)) == false);
  other.end();
  const Place second = hold();
  CHECK(second);
  CHECK_FALSE(hold());
  CHECK(world.run(state.lease("work", 1h)) == true);
}
