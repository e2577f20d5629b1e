// What every back end of the state store must do. Before and after what is queued has been settled
// there is no difference.
#include "worlds.hpp"

using namespace postern;
using namespace postern::store;

#define FOR_EACH_STORE                                             \
  const auto name = GENERATE(as<std::string>(), "memory", "lmdb"); \
  const bool settled = GENERATE(false, true);                      \
  CAPTURE(name, settled);                                          \
  const auto world = make_world(name);                             \
  State state(world->store(), "test")

namespace {

std::string value(const State& state, std::string_view key) {
  const auto found = state.get(key);
  REQUIRE(found.has_value());
  return found->value_or("-");
}

std::string keys(const Result<std::vector<Item>>& items) {
  REQUIRE(items.has_value());
  std::string all;
  for (const Item& item : *items) all += item.key + "=" + item.entry.content + " ";
  return all;
}

}  // namespace

TEST_CASE("Store: a value is there until it is erased or expires", "[store][conformance]") {
  FOR_EACH_STORE;
  const auto look = [&](std::string_view key) {
    if (settled) world->flush();
    return value(state, key);
  };
  CHECK(look("a") == "-");
  CHECK(state.put("a", "one", 10s).has_value());
  CHECK(look("a") == "one");
  CHECK(state.put("a", "two", 20s).has_value());
  world->advance(19'999ms);
  CHECK(look("a") == "two");
  world->advance(1ms);
  CHECK(look("a") == "-");
  CHECK(state.put("a", "three", 10s).has_value());
  CHECK(state.erase("a").has_value());
  CHECK(look("a") == "-");
  CHECK(state.erase("never").has_value());
  CHECK(state.put("a", std::string(max_value_octets, 'x'), 10s).has_value());
  CHECK(look("a").size() == max_value_octets);
}

TEST_CASE("Store: a shorter lifetime counts as much as a longer one", "[store][conformance]") {
  FOR_EACH_STORE;
  CHECK(state.put("a", "long", 1h).has_value());
  if (settled) world->flush();
  CHECK(state.put("a", "short", 1s).has_value());
  if (settled) world->flush();
  world->advance(1s);
  CHECK(value(state, "a") == "-");
}

TEST_CASE("Store: keys are octets, of one namespace", "[store][conformance]") {
  FOR_EACH_STORE;
  const State other(world->store(), "test2");
  const std::string strange("\0\xff\n~", 4);
  CHECK(state.put(strange, "mine", 1h).has_value());
  CHECK(other.put(strange, "other's", 1h).has_value());
  CHECK(state.put(std::string(3000, 'k') + "1", "long 1", 1h).has_value());
  CHECK(state.put(std::string(3000, 'k') + "2", "long 2", 1h).has_value());
  if (settled) world->flush();
  CHECK(value(state, strange) == "mine");
  CHECK(value(other, strange) == "other's");
  CHECK(value(state, std::string(3000, 'k') + "1") == "long 1");
  CHECK(value(state, std::string(3000, 'k') + "2") == "long 2");
  CHECK(state.put(std::string(max_key_octets, 'k'), "", 1h).error().code == Errc::too_long);
  CHECK(state.put("k", std::string(max_value_octets + 1, 'v'), 1h).error().code == Errc::too_long);
}

TEST_CASE("Store: a scan gives the keys of a prefix in order, page by page",
          "[store][conformance]") {
  FOR_EACH_STORE;
  for (const char* key : {"b2", "a", "b1", "c", "b3", "b"})
    CHECK(state.put(key, "v", 1h).has_value());
  if (settled) world->flush();
  CHECK(state.erase("b1").has_value());
  CHECK(state.put("b25", "w", 1h).has_value());
  CHECK(state.put("b4", "v", 1s).has_value());
  world->advance(1s);
  CHECK(keys(state.scan("b", 10)) == "b=v b2=v b25=w b3=v ");
  CHECK(keys(state.scan("b", 2)) == "b=v b2=v ");
  CHECK(keys(state.scan("b", 2, "b2")) == "b25=w b3=v ");
  CHECK(keys(state.scan("b", 2, "b3")) == "");
  CHECK(keys(state.scan("", 1, "c")) == "");
  CHECK(keys(state.scan("x", 10)) == "");
}

TEST_CASE("Store: counts what was in the window, and up to an eighth longer",
          "[store][conformance]") {
  FOR_EACH_STORE;
  CHECK(state.counted("c", 80s) == 0u);
  CHECK(state.count("c", 80s) == 1u);
  if (settled) world->flush();
  CHECK(state.count("c", 80s, 4) == 5u);
  world->advance(40s);
  CHECK(state.count("c", 80s) == 6u);
  if (settled) world->flush();
  world->advance(40s);
  CHECK(state.counted("c", 80s) == 6u);
  world->advance(10s);
  CHECK(state.counted("c", 80s) == 1u);
  world->advance(40s);
  CHECK(state.counted("c", 80s) == 0u);
  CHECK(state.count("c", 80s) == 1u);
}

TEST_CASE("Store: a bucket gives its tokens, and each again in its time", "[store][conformance]") {
  FOR_EACH_STORE;
  const Bucket bucket{3, 10s};
  CHECK(state.take("b", bucket) == true);
  CHECK(state.take("b", bucket, 2) == true);
  if (settled) world->flush();
  CHECK(state.take("b", bucket) == false);
  world->advance(9'999ms);
  CHECK(state.take("b", bucket) == false);
  world->advance(1ms);
  CHECK(state.take("b", bucket) == true);
  if (settled) world->flush();
  CHECK(state.take("b", bucket) == false);
  world->advance(1h);
  CHECK(state.take("b", bucket, 4) == false);
  CHECK(state.take("b", bucket, 3) == true);
  CHECK(world->yes(state.take_exactly("b", bucket)) == false);
}

TEST_CASE("Store: compares and sets at once", "[store][conformance]") {
  FOR_EACH_STORE;
  const auto change = [&](std::optional<std::string> from, std::optional<std::string> to) {
    return world->yes(state.compare_and_set("k", std::move(from), std::move(to), 10s));
  };
  CHECK_FALSE(change("a", "b"));
  CHECK(change({}, "a"));
  CHECK_FALSE(change({}, "a"));
  CHECK_FALSE(change("b", "c"));
  CHECK(change("a", "b"));
  CHECK(value(state, "k") == "b");
  world->advance(10s);
  CHECK_FALSE(change("b", "c"));
  CHECK(change({}, "c"));
  CHECK(change("c", {}));
  CHECK(value(state, "k") == "-");
}

TEST_CASE("Store: gives as many places as there are, and one again when it is given back",
          "[store][conformance]") {
  FOR_EACH_STORE;
  Place first = world->hold(state.hold("p", 2));
  CHECK(first);
  {
    const Place second = world->hold(state.hold("p", 2));
    CHECK(second);
    CHECK_FALSE(world->hold(state.hold("p", 2)));
    CHECK(world->hold(state.hold("q", 1)));
    world->advance(24h);  // places have no lifetime
    CHECK_FALSE(world->hold(state.hold("p", 2)));
  }
  if (settled) world->flush();
  Place third = world->hold(state.hold("p", 2));
  CHECK(third);
  first = std::move(third);  // which gives the first back
  CHECK(world->hold(state.hold("p", 2)));
}

TEST_CASE("Store: a lease is prolonged by whoever has it", "[store][conformance]") {
  FOR_EACH_STORE;
  CHECK(world->yes(state.lease("work", 10s)));
  CHECK(world->yes(state.lease("work", 10s)));
  world->advance(11s);
  CHECK(world->yes(state.lease("work", 10s)));
}

TEST_CASE("Store: what another form has written counts as nothing", "[store][conformance]") {
  FOR_EACH_STORE;
  CHECK(state.put("k", "text", 1h).has_value());
  if (settled) world->flush();
  CHECK(state.counted("k", 80s) == 0u);
  CHECK(state.count("k", 80s) == 1u);
  CHECK(value(state, "k") == "-");
  CHECK(state.take("k", Bucket{1, 1s}) == true);
}

TEST_CASE("Store: the outcome of what is awaited is exact", "[store][conformance]") {
  FOR_EACH_STORE;
  Update count;
  count.kind = Update::Kind::count;
  count.lifetime = 80s;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    const auto outcome = world->settle("n", count);
    REQUIRE(outcome.has_value());
    CHECK(outcome->number == i);
  }
}
