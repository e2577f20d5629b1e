#include <postern/store/update.hpp>

#include <set>

#include "catch.hpp"

using namespace postern::store;
using namespace std::chrono_literals;

namespace {

struct Alive final : Living {
  bool alive(Owner owner) const override { return owners.count(owner) > 0; }
  std::set<Owner> owners{1, 2};
};

constexpr WallTime start{1'767'225'600s};

Update update(Update::Kind kind, Owner owner, WallTime now = start) {
  Update made;
  made.kind = kind;
  made.owner = owner;
  made.now = now;
  made.lifetime = 60s;
  made.amount = 2;
  return made;
}

// A key, and what is done to it.
struct Cell {
  Outcome apply(const Update& update) {
    const bool counts = entry && !entry->expired(update.now);
    Applied applied = postern::store::apply(update, counts ? &*entry : nullptr, living);
    if (applied.changed) entry = std::move(applied.entry);
    return applied.outcome;
  }
  Alive living;
  std::optional<Entry> entry;
};

}  // namespace

TEST_CASE("Update: places of the dead are free", "[store]") {
  using Kind = Update::Kind;
  Cell cell;
  CHECK(cell.apply(update(Kind::hold, 1)).done);
  CHECK(cell.apply(update(Kind::hold, 2)).done);
  CHECK_FALSE(cell.apply(update(Kind::hold, 1)).done);
  CHECK_FALSE(cell.apply(update(Kind::release, 3)).done);
  cell.living.owners.erase(2);
  CHECK(cell.apply(update(Kind::hold, 1)).number == 2);
  CHECK_FALSE(cell.apply(update(Kind::hold, 1)).done);
  CHECK(cell.apply(update(Kind::review, 0)).number == 2);
  cell.living.owners.clear();
  CHECK(cell.apply(update(Kind::review, 0)).number == 0);
  CHECK_FALSE(cell.entry.has_value());
}

TEST_CASE("Update: a lease is another's when it has expired or its owner is dead", "[store]") {
  using Kind = Update::Kind;
  Cell cell;
  CHECK(cell.apply(update(Kind::lease, 1)).done);
  CHECK_FALSE(cell.apply(update(Kind::lease, 2)).done);
  SECTION("expired") { CHECK(cell.apply(update(Kind::lease, 2, start + 60s)).done); }
  SECTION("dead") {
    cell.living.owners.erase(1);
    CHECK(cell.apply(update(Kind::lease, 2)).done);
    CHECK_FALSE(cell.apply(update(Kind::lease, 1, start + 1s)).done);
  }
}

TEST_CASE("Update: a clock that is set back forgets no count and gives no tokens", "[store]") {
  using Kind = Update::Kind;
  Cell count, bucket;
  CHECK(count.apply(update(Kind::count, 1)).number == 2);
  CHECK(count.apply(update(Kind::count, 1, start - 1h)).number == 4);
  CHECK(count.apply(update(Kind::count, 1, start)).number == 6);
  Update take = update(Kind::take, 1);
  take.bucket = {2, 10s};
  CHECK(bucket.apply(take).done);
  take.now = start - 1h;
  const Outcome refused = bucket.apply(take);
  CHECK_FALSE(refused.done);
  CHECK(refused.number == 20'000);
}

TEST_CASE("Update: an entry of another format is none", "[store]") {
  const Entry entry{Form::value, start, std::string("a\0b", 3)};
  const std::string octets = encode(entry);
  const auto back = decode(octets);
  REQUIRE(back.has_value());
  CHECK(back->content == entry.content);
  CHECK(back->expires == entry.expires);
  std::string newer = octets, odd = octets;
  newer[0] = 2;
  odd[1] = 'x';
  CHECK_FALSE(decode(newer).has_value());
  CHECK_FALSE(decode(odd).has_value());
  for (std::size_t length = 0; length < 10; ++length)
    CHECK_FALSE(decode(std::string_view(octets).substr(0, length)).has_value());
}

TEST_CASE("Update: content that makes no sense counts as nothing", "[store]") {
  using Kind = Update::Kind;
  const Form form = GENERATE(Form::count, Form::bucket, Form::places, Form::lease);
  const std::string content = GENERATE("", "x", std::string(7, '\xff'), std::string(400, '\xff'));
  CAPTURE(static_cast<char>(form), content.size());
  Cell cell;
  for (const Kind kind : {Kind::count, Kind::take, Kind::hold, Kind::lease, Kind::review}) {
    cell.entry = Entry{form, start + 1h, content};
    (void)describe(*cell.entry);
    (void)counted(&*cell.entry, 60s, start);
    Update wanted = update(kind, 1);
    wanted.bucket = {3, 1s};
    const Outcome outcome = cell.apply(wanted);
    if (kind == Kind::count || kind == Kind::hold || kind == Kind::lease) CHECK(outcome.done);
  }
}
