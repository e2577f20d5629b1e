// greylisting: unknown senders come again in some minutes.
#include <postern/facts/p0f.hpp>
#include <postern/facts/place.hpp>
#include <postern/plugin/plugin.hpp>
#include <postern/store/state.hpp>

#include <fmt/format.h>

#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::Heard;
using test::in_one_line;
using test::Letter;
using testing::Harness;

namespace {

constexpr const char* deferred =
    "rcpt 451 4.7.1 This mail is temporarily deferred: please try again in 5 minutes";

std::string send(Harness& h, const Letter& letter = {}) {
  const std::string heard = in_one_line(test::whole_dialogue(h, letter));
  h.client.close();
  h.run_for(1s);
  return heard.starts_with("nowhere 250") ? "taken" : heard;
}

}  // namespace

TEST_CASE("greylisting: an unknown sender is taken when he comes again",
          "[plugins][greylisting][line:43]") {
  Harness h;
  h.load("greylisting");
  CHECK(send(h) == deferred);
  h.run_for(2min);
  CHECK(send(h) ==
        "rcpt 451 4.7.1 This mail is temporarily deferred: please try again in 3 minutes");
  h.run_for(3min);
  CHECK(send(h) == "taken");
  CHECK(send(h) == "taken");
  h.run_for(30 * 24h);
  CHECK(send(h) == "taken");  // and is prolonged by it
  h.run_for(30 * 24h);
  CHECK(send(h) == "taken");
  h.run_for(37 * 24h);
  CHECK(send(h) == deferred);
  CHECK(h.end() == "");
}

TEST_CASE("greylisting: who comes again after the window is new", "[plugins][greylisting]") {
  Harness h;
  h.load("greylisting", "window = \"1h\"");
  CHECK(send(h) == deferred);
  h.run_for(61min);
  CHECK(send(h) == deferred);
  h.run_for(59min);
  CHECK(send(h) == "taken");
  CHECK(h.end() == "");
}

TEST_CASE("greylisting: who is the same, by key", "[plugins][greylisting]") {
  struct Row {
    const char* why;
    Letter again;
    const char* triplet;
    const char* network;
    const char* pair;
    const char* domains;
  };
  Letter same, neighbour, stranger, verp, other_sender, other_domain, other_recipient;
  neighbour.client = "192.0.2.200";
  stranger.client = "198.51.100.1";
  verp.from = "a+12345@B.example";
  other_sender.from = "c@b.example";
  other_domain.from = "a@d.example";
  other_recipient.to = "y@example.net";
  const auto row = GENERATE_COPY(values<Row>({
      {"the same", same, "taken", "taken", "taken", "taken"},
      {"of the same /24", neighbour, "taken", "taken", "taken", "taken"},
      {"from elsewhere", stranger, deferred, deferred, "taken", deferred},
      {"another copy of a list's", verp, "taken", "taken", "taken", "taken"},
      {"another sender", other_sender, deferred, "taken", deferred, "taken"},
      {"another domain", other_domain, deferred, "taken", deferred, deferred},
      {"another recipient", other_recipient, deferred, "taken", deferred, "taken"},
  }));
  const std::string key = GENERATE("triplet", "network", "pair", "domains");
  CAPTURE(row.why, key);
  Harness h;
  h.load("greylisting", key == "network"   ? "key = [\"network\"]"
                        : key == "pair"    ? "key = [\"sender\", \"recipient\"]"
                        : key == "domains" ? "key = [\"network\", \"sender_domain\"]"
                                           : "");
  CHECK(send(h) == deferred);
  h.run_for(5min);
  CHECK(send(h, row.again) == (key == "network"   ? row.network
                               : key == "pair"    ? row.pair
                               : key == "domains" ? row.domains
                                                  : row.triplet));
  CHECK(h.end() == "");
}

TEST_CASE("greylisting: of IPv6 a /64 is one network", "[plugins][greylisting]") {
  Harness h;
  h.load("greylisting");
  Letter first, near, far;
  first.client = "2001:db8:1:2::1";
  near.client = "2001:db8:1:2:ffff::9";
  far.client = "2001:db8:1:3::1";
  CHECK(send(h, first) == deferred);
  h.run_for(5min);
  CHECK(send(h, far) == deferred);
  CHECK(send(h, near) == "taken");
  CHECK(h.end() == "");
}

TEST_CASE("greylisting: a domain has its own times, or none", "[plugins][greylisting]") {
  Harness h;
  h.recipients.add_domain("quick.example");
  h.recipients.add_domain("open.example");
  h.load("greylisting");
  h.domain("quick.example", "[plugin.greylisting]\ndelay = \"30s\"\n");
  h.domain("open.example", "[plugin.greylisting]\nmode = \"off\"\n");
  Letter normal, quick, open;
  quick.to = "x@quick.example";
  open.to = "x@open.example";
  CHECK(send(h, normal) == deferred);
  CHECK(send(h, open) == "taken");
  CHECK(send(h, quick) ==
        "rcpt 451 4.7.1 This mail is temporarily deferred: please try again in 1 minute");
  h.run_for(30s);
  CHECK(send(h, quick) == "taken");
  CHECK(send(h, normal).starts_with("rcpt 451"));
  CHECK(h.end() == "");
}

TEST_CASE("greylisting: pools that are exempt are not deferred", "[plugins][greylisting]") {
  Harness h;
  h.dns.add_ptr("198.51.100.7", "out7.pool.example");
  h.dns.add_a("out7.pool.example", "198.51.100.7");
  h.load("fcrdns", "require = \"nothing\"");
  h.load("greylisting", "exempt = { clients = [\"203.0.113.0/24\"], rdns = [\".pool.example\"] }");
  Letter by_address, by_name;
  by_address.client = "203.0.113.9";
  by_name.client = "198.51.100.7";
  CHECK(send(h, by_address) == "taken");
  CHECK(send(h, by_name) == "taken");
  CHECK(send(h).starts_with("rcpt 451"));
  CHECK(h.end() == "");
}

TEST_CASE("greylisting: bounces are taken, or deferred at DATA", "[plugins][greylisting]") {
  Letter bounce;
  bounce.from = "";
  Harness h;
  SECTION("taken") {
    h.load("greylisting");
    CHECK(send(h, bounce) == "taken");
    CHECK(h.store.updates() == 0);
  }
  SECTION("deferred") {
    h.load("greylisting", "null_sender = \"data\"");
    CHECK(send(h, bounce) ==
          "data 451 4.7.1 This mail is temporarily deferred: please try again in 5 minutes");
    h.run_for(5min);
    CHECK(send(h, bounce) == "taken");
  }
  CHECK(h.end() == "");
}

TEST_CASE("greylisting: a network whose mail was accepted is trusted", "[plugins][greylisting]") {
  Harness h;
  h.load("greylisting", "learn = 2");
  Letter neighbour;
  neighbour.from = "new@c.example";
  neighbour.client = "192.0.2.99";
  CHECK(send(h).starts_with("rcpt 451"));
  h.run_for(5min);
  CHECK(send(h) == "taken");
  CHECK(send(h, neighbour).starts_with("rcpt 451"));
  CHECK(send(h) == "taken");
  CHECK(send(h, neighbour) == "taken");
  h.run_for(42 * 24h);
  CHECK(send(h, neighbour).starts_with("rcpt 451"));
  CHECK(h.end() == "");
}

TEST_CASE("greylisting: answers to our own mail are taken", "[plugins][greylisting]") {
  Harness h;
  h.load("relay", "clients = [\"203.0.113.5\"]");
  h.load("greylisting");
  h.recipients.add_domain("b.example");  // stands for the world: whoever may relay reaches it
  Letter ours, answer, unasked;
  ours.client = "203.0.113.5";
  ours.from = "x@example.net";
  ours.to = "a@b.example";
  answer.from = "a@b.example";
  answer.to = "x@example.net";
  unasked.from = "a@b.example";
  unasked.to = "y@example.net";
  CHECK(send(h, ours) == "taken");
  CHECK(send(h, unasked).starts_with("rcpt 451"));
  CHECK(send(h, answer) == "taken");
  CHECK(h.end() == "");
}

TEST_CASE("greylisting: a store that fails is on_error's case", "[plugins][greylisting]") {
  const std::string on_error = GENERATE("", "defer");
  CAPTURE(on_error);
  Harness h;
  h.load("greylisting", on_error.empty() ? "" : "on_error = \"defer\"");
  h.store.fail_with(Errc::no_space);
  CHECK(send(h) ==
        (on_error.empty() ? "taken" : "rcpt 450 4.3.0 Temporary problem, please try again later"));
  h.store.fail_with({});
  CHECK(send(h).starts_with("rcpt 451"));
  CHECK(h.end() == "");
}

TEST_CASE("greylisting: what another version wrote counts as nothing", "[plugins][greylisting]") {
  const std::string content = GENERATE("", "grey", "grey x", "white 1x", "black 1767225600");
  CAPTURE(content);
  Harness h;
  h.load("greylisting");
  store::State state(h.store, "greylisting");
  REQUIRE(state.put("mail 192.0.2.0/24 a@b.example x@example.net", content, 1h).has_value());
  CHECK(send(h) == deferred);
  h.run_for(5min);
  CHECK(send(h) == "taken");
  CHECK(h.end() == "");
}

TEST_CASE("greylisting: an early retry costs reads only", "[plugins][greylisting]") {
  Harness h;
  h.load("greylisting");
  CHECK(send(h) == deferred);
  const std::size_t updates = h.store.updates();
  for (int i = 0; i < 10; ++i) CHECK(send(h).starts_with("rcpt 451"));
  CHECK(h.store.updates() == updates);
  CHECK(h.end() == "");
}

namespace {

struct Seen : plugin::PluginOf<Seen> {
  struct Settings {
    std::string genre, flavor, link, country;
    std::uint16_t distance = 0;
    std::chrono::milliseconds uptime{0};
  };
  static void describe(policy::Schema<Settings>& schema) {
    schema.key("genre", &Settings::genre, "genre");
    schema.key("flavor", &Settings::flavor, "flavor");
    schema.key("link", &Settings::link, "link");
    schema.key("country", &Settings::country, "country; empty: geoip is not loaded");
    schema.key("distance", &Settings::distance, "hops; 0: not known");
    schema.key("uptime", &Settings::uptime, "0: not known");
  }
  void setup(plugin::Hooks& hooks) override {
    hooks.on_connect(this, &Seen::look).makes<facts::Place>();
  }
  facts::P0f look(plugin::Session& session) {
    const Settings& mine = settings(session);
    facts::Place place;
    place.country = mine.country;
    if (!mine.country.empty()) session.facts().put(place);
    facts::P0f found;
    found.seen = !mine.genre.empty();
    found.genre = mine.genre;
    found.flavor = mine.flavor;
    found.link = mine.link;
    if (mine.distance > 0) found.distance = mine.distance;
    if (mine.uptime > 0ms)
      found.uptime = std::chrono::duration_cast<std::chrono::minutes>(mine.uptime);
    return found;
  }
};

}  // namespace

TEST_CASE("greylisting: only some clients, by what others have found out",
          "[plugins][greylisting]") {
  struct Row {
    const char* why;
    const char* keys;
    const char* seen;
    bool defers;
  };
  const auto row = GENERATE(values<Row>({
      {"all", "", "", true},
      {"a system", "only_systems = [\"/windows xp/\"]", "genre = \"Windows\"\nflavor = \"XP\"",
       true},
      {"another", "only_systems = [\"/windows xp/\"]", "genre = \"Windows\"\nflavor = \"11\"",
       false},
      {"one of whom nothing is known", "only_systems = [\"/windows/\"]", "", false},
      {"a link", "only_links = [\"/dsl/\"]", "genre = \"x\"\nlink = \"DSL\"", true},
      {"another link", "only_links = [\"/dsl/\"]", "genre = \"x\"\nlink = \"Ethernet\"", false},
      {"far", "only_beyond = 10", "genre = \"x\"\ndistance = 11", true},
      {"not far", "only_beyond = 10", "genre = \"x\"\ndistance = 10", false},
      {"nobody knows how far", "only_beyond = 10", "genre = \"x\"", false},
      {"up since today", "only_up_below = \"1d\"", "genre = \"x\"\nuptime = \"23h\"", true},
      {"up since yesterday", "only_up_below = \"1d\"", "genre = \"x\"\nuptime = \"24h\"", false},
      {"one of two", "only_beyond = 10\nonly_links = [\"/dsl/\"]",
       "genre = \"x\"\nlink = \"DSL\"\ndistance = 2", true},
      {"never from there", "except_countries = [\"us\", \"UK\"]", "country = \"US\"", false},
      {"from elsewhere", "except_countries = [\"US\"]", "country = \"XX\"", true},
      {"a system, never from there", "only_systems = [\"/x/\"]\nexcept_countries = [\"US\"]",
       "genre = \"x\"\ncountry = \"US\"", false},
  }));
  CAPTURE(row.why);
  Harness h;
  h.add<Seen>("seen");
  h.load("seen", row.seen);
  h.load("greylisting", row.keys);
  CHECK(send(h) == (row.defers ? deferred : "taken"));
  CHECK(h.end() == "");
}

TEST_CASE("greylisting: conditions about clients need nobody who finds out about them",
          "[plugins][greylisting]") {
  Harness h;
  h.load("greylisting", "except_countries = [\"US\"]");
  CHECK(h.problems().empty());
  CHECK(send(h) == deferred);
  CHECK(h.end() == "");
}
