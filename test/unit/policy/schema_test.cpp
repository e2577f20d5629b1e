// Descriptions of plugins: what they read, refuse, and say in manuals.
#include <postern/policy/manual.hpp>

#include <stdexcept>

#include "catch.hpp"
#include "fake_plugins.hpp"

namespace postern::policy {
namespace {

using Lines = std::vector<std::string>;

struct Shadow {
  std::string text;
  static void common(Schema<Shadow>& schema) { schema.key("timeout", &Shadow::text, "x"); }
  static void head(Schema<Shadow>& schema) { schema.key("use", &Shadow::text, "x"); }
  static void fine(Schema<Shadow>& schema) { schema.key("text", &Shadow::text, "what to say"); }
  static void odd(Schema<Shadow>& schema) { schema.key("a b", &Shadow::text, "x"); }
  static void twice(Schema<Shadow>& schema) {
    schema.key("text", &Shadow::text, "x");
    schema.key("text", &Shadow::text, "x");
  }
};

struct Required {
  AddressList list;
  static void describe(Schema<Required>& schema) {
    schema.key("list", &Required::list, "whose mail is bad").required();
  }
};

struct FileTwice {
  AddressList list;
  FilePath file;
  static void describe(Schema<FileTwice>& schema) {
    schema.key("list", &FileTwice::list, "x");
    schema.key("file", &FileTwice::file, "x");
  }
};

}  // namespace

TEST_CASE("Schema: reads every type of key", "[policy][schema]") {
  Site site(block("late", R"(
zones = ["a.example", { name = "b.example", weight = 3 }]
pairs = [{ from = "a@x.example", to = "b@y.example" }]
words = ["x", "y"]
threshold = 7
small = 10
ratio = 1
most = 0
colour = "green"
pause = "3s"
loud = true
reply = "{reason} {{see {id}}}"
exempt = { clients = ["192.0.2.0/24", "2001:db8::/32"], rdns = [".example.net"], helo = ["mx.Example.net"] }
parallel = 4
points = 3
may_drop = true
on_error = "reject"
mode = "tag"
)"));
  const Loaded loaded = site.load();
  CHECK(loaded.lines() == Lines{});
  const FakeSettings& s = settings_of(loaded.snapshot->site());
  CHECK(s.zones == std::vector<Zone>{{"a.example", 1}, {"b.example", 3}});
  REQUIRE(s.pairs.size() == 1);
  CHECK(s.pairs[0].to == "b@y.example");
  CHECK(s.words == Lines{"x", "y"});
  CHECK(s.threshold == 7);
  CHECK(s.small == 10);
  CHECK(s.ratio == 1.0);
  CHECK(s.most == 0u);
  CHECK(s.colour == Colour::green);
  CHECK(s.pause == std::chrono::seconds(3));
  CHECK(s.loud);
  const Common& c = loaded.snapshot->site().of(0).common;
  CHECK(c.reply.fill({.reason = "no",
                      .instance = {},
                      .client = {},
                      .helo = {},
                      .sender = {},
                      .recipient = {},
                      .id = "7"}) == "no {see 7}");
  CHECK(c.exempt.clients.size() == 2);
  CHECK(c.exempt.rdns.at(0).matches("a.EXAMPLE.net"));
  CHECK_FALSE(c.exempt.rdns.at(0).matches("example.net"));
  CHECK_FALSE(c.exempt.rdns.at(0).matches("badexample.net"));
  CHECK(c.exempt.helo.at(0).matches("MX.example.NET"));
  CHECK_FALSE(c.exempt.helo.at(0).matches("a.mx.example.net"));
  CHECK(c.parallel == 4);
  CHECK(c.points == 3);
  CHECK(c.may_drop);
  CHECK(c.on_error == OnError::reject);
  CHECK(c.mode == Mode::tag);
  CHECK(c.timeout == std::chrono::seconds(30));  // the plugin's own
  CHECK_FALSE(c.exempt.empty());
}

TEST_CASE("Schema: what is absent keeps its default", "[policy][schema]") {
  const Loaded loaded = Site(block("early")).load();
  const FakeSettings& s = settings_of(loaded.snapshot->site());
  CHECK(s.ratio == 0.5);
  CHECK(s.most == std::nullopt);
  CHECK(s.small == 3);
  const Common& c = loaded.snapshot->site().of(0).common;
  CHECK(c.mode == Mode::on);
  CHECK(c.enforce_at == Stage::now);
  CHECK(c.on_error == OnError::defer);
  CHECK(c.timeout == std::chrono::seconds(5));
  CHECK(c.points == 1);
  CHECK(c.exempt.empty());
  CHECK(c.reply.empty());
}

TEST_CASE("reply: is checked and filled", "[policy][schema]") {
  CHECK(fault_of_reply("{reason}: {instance} {client} {helo} {sender} {recipient} {id}") == "");
  CHECK(fault_of_reply("two\nlines, {{ and }}") == "");
  CHECK(fault_of_reply("a { b") == "has a '{' without '}'; write \"{{\" for the brace itself");
  CHECK(fault_of_reply("a } b") == "has a '}' without '{'; write \"}}\" for the brace itself");
  CHECK(fault_of_reply("{}") ==
        "no placeholder {}; there are {reason}, {instance}, {client}, {helo}, {sender}, "
        "{recipient}, {id}");
  CHECK(fault_of_reply("a\rb") == "has a control character other than a line's end");
  CHECK(fault_of_reply("\xff") == "is not UTF-8");
  CHECK(fault_of_reply(std::string(1001, 'x')) == "is longer than 1000 octets");
  const ReplyValues values{"R", "I", "C", "H", "S", "T", "N"};
  CHECK(ReplyTemplate{"{reason}{instance}{client}{helo}{sender}{recipient}{id}"}.fill(values) ==
        "RICHSTN");
  CHECK(ReplyTemplate{"{{reason}} {{{reason}}}"}.fill(values) == "{reason} {R}");
}

TEST_CASE("Schema: a key that every instance has, or that stands twice, is a bug",
          "[policy][schema]") {
  CHECK_THROWS_WITH(require_sound(plugin_type<Shadow>("x", "", "", Shadow::common)),
                    "plugin x: the key 'timeout' is one that every instance has");
  CHECK_THROWS_WITH(require_sound(plugin_type<Shadow>("x", "", "", Shadow::head)),
                    "plugin x: the key 'use' is one that every instance has");
  CHECK_THROWS_WITH(require_sound(plugin_type<Shadow>("x", "", "", Shadow::odd)),
                    "plugin x: the key 'a b' is no word");
  CHECK_THROWS_WITH(require_sound(plugin_type<Shadow>("x y", "", "", Shadow::fine)),
                    "plugin x y: its name is no word");
  CHECK_THROWS_AS(plugin_type<Shadow>("x", "", "", Shadow::twice), std::logic_error);
  CHECK_THROWS_AS(plugin_type<FileTwice>("x", "", "", FileTwice::describe), std::logic_error);
  CHECK_NOTHROW(require_sound(plugin_type<Shadow>("x", "", "", Shadow::fine)));
  FakeCatalog catalog;
  catalog.add(plugin_type<Shadow>("shadow", "", "", Shadow::common));
  Site site(block("shadow"));
  site.catalog = &catalog;
  CHECK_THROWS_AS(site.load(), std::logic_error);
}

TEST_CASE("required: a list is satisfied by its file", "[policy][schema]") {
  FakeCatalog catalog;
  catalog.add(plugin_type<Required>("required", "", "", Required::describe));
  const auto lines = [&](const std::string& keys) {
    Site site(block("required", keys));
    site.catalog = &catalog;
    return site.list("bad", "").lines();
  };
  CHECK(lines("list = []\n") == Lines{});
  CHECK(lines("file = \"bad\"\n") == Lines{});
  CHECK(lines("") ==
        Lines{"postern.toml:6:1: plugin.list: is missing, and so is file; set one of them"});
}

TEST_CASE("plugin_help: tells what a plugin takes", "[policy][manual]") {
  FakeCatalog catalog;
  const std::string text = plugin_help(*catalog.find("late"));
  const auto has = [&](const std::string& part) { return text.find(part) != std::string::npos; };
  CHECK(
      text.starts_with("late: Refuses what is bad.\nVersion 1.0. It decides at message.\n\nKeys "
                       "of its [[plugin]] block:\n\n"));
  CHECK(
      has("  zones (a list, each a table or a string; also per domain)\n"
          "      Lists to ask, with weights.\n"
          "      name (a string, required)\n"
          "          Where to ask.\n"
          "      weight (a number, 1 to 100; default 1)\n"));
  CHECK(has("  pairs (a list of tables)\n"));
  CHECK(has("  file (a path; also per domain)\n"));
  CHECK(has("  ratio (a number, possibly with a fraction, 0.25 to 1; default 0.5)\n"));
  CHECK(has("  most (a number; default no limit)\n"));
  CHECK(has("Of these it has defaults of its own: on_error = \"next\", timeout = \"30s\".\n"));
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    CHECK(end - at <= 80);
    at = end + 1;
  }
  CHECK(plugin_help(*catalog.find("wide")).find("It decides at connect to rcpt.") !=
        std::string::npos);
}

TEST_CASE("plugin_markdown: is a table of keys", "[policy][manual]") {
  FakeCatalog catalog;
  const std::string text = plugin_markdown(*catalog.find("late"));
  const auto has = [&](const std::string& part) { return text.find(part) != std::string::npos; };
  CHECK(text.starts_with("## late\n\nRefuses what is bad. It decides at message.\n"));
  CHECK(has("| `threshold` | a number, at least 1; default 1 | yes | Score that refuses. |\n"));
  CHECK(has("| `zones[].weight` | a number, 1 to 100; default 1 |  | What a listing counts. |\n"));
  CHECK(has("Its own defaults of the common keys: `on_error = \"next\"`, `timeout = \"30s\"`.\n"));
  CHECK(plugin_markdown(*catalog.find("rcpt_accept")).find("It has no keys of its own.") !=
        std::string::npos);
}

}  // namespace postern::policy
