// What cannot be known in time is refused; what can is not.
#include <fmt/format.h>

#include "catch.hpp"
#include "fake_plugins.hpp"

namespace postern::policy {
namespace {

using Lines = std::vector<std::string>;

// What load() says about one key of `exempt` for each step at which a refusal can take effect.
struct Kind {
  const char* written;
  const char* name;
  const char* what;
  Stage from;
};

}  // namespace

TEST_CASE("exempt: each key at each step of effect", "[policy][stages]") {
  const auto kind = GENERATE(values<Kind>({
      {"clients = [\"192.0.2.0/24\"]", "clients", "", Stage::now},
      {"rdns = [\".example.net\"]", "rdns", "", Stage::now},
      {"relay = true", "relay", "", Stage::now},
      {"helo = [\"mx.example.net\"]", "helo", "the name in HELO", Stage::helo},
      {"authenticated = true", "authenticated", "authentication", Stage::mail},
      {"senders = [\"a@example.net\"]", "senders", "the sender", Stage::mail},
      {"senders_file = \"list\"", "senders", "the sender", Stage::mail},
      {"recipients = [\"a@example.net\"]", "recipients", "the recipient", Stage::rcpt},
      {"recipients_file = \"list\"", "recipients", "the recipient", Stage::rcpt},
  }));
  const auto at =
      GENERATE(Stage::now, Stage::helo, Stage::mail, Stage::rcpt, Stage::data, Stage::message);
  CAPTURE(kind.written, step_of(at));
  const auto name = names_of(at)[static_cast<std::size_t>(at)];
  Site site(
      block("early", fmt::format("exempt = {{ {} }}\nenforce_at = \"{}\"\n", kind.written, name)));
  site.list("list", "a@example.net\n");
  if (at >= kind.from) {
    CHECK(site.lines() == Lines{});
  } else {
    const Lines lines = site.lines();
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].ends_with(fmt::format(
        "plugin.exempt.{}: {} is not known yet at {}, where early refuses; set enforce_at = "
        "\"{}\" or later, or remove it",
        kind.name, kind.what, step_of(at), step_of(kind.from))));
    CHECK(lines[0].starts_with("postern.toml:8:"));
  }
}

TEST_CASE("enforce_at: is never before the plugin's own step", "[policy][stages]") {
  struct Row {
    const char* use;
    Stage earliest;
  };
  const auto row = GENERATE(values<Row>({{"early", Stage::now},
                                         {"greeting", Stage::helo},
                                         {"sender", Stage::mail},
                                         {"recipient", Stage::rcpt},
                                         {"late", Stage::message}}));
  const auto at =
      GENERATE(Stage::now, Stage::helo, Stage::mail, Stage::rcpt, Stage::data, Stage::message);
  const auto name = names_of(at)[static_cast<std::size_t>(at)];
  CAPTURE(row.use, name);
  const std::string key = fmt::format("enforce_at = \"{}\"\n", name);
  const Lines lines = Site(block(row.use, key)).lines();
  if (at == Stage::now || at >= row.earliest)
    CHECK(lines == Lines{});
  else
    CHECK(lines ==
          Lines{fmt::format("postern.toml:8:14: plugin.enforce_at: {} decides at {}, which "
                            "is later; write \"now\", or remove it",
                            row.use, step_of(row.earliest))});
  // For all instances it says "not before": that is no mistake for those that come later.
  CHECK(Site("[plugin_defaults]\n" + key + block(row.use)).lines() == Lines{});
}

TEST_CASE("exempt.passed: names an instance that decides before", "[policy][stages]") {
  struct Row {
    const char* why;
    std::string blocks;
    std::string line;
  };
  const std::string passed = "exempt = { passed = [\"early\"] }\n";
  const auto row = GENERATE_COPY(values<Row>({
      {"it stands before", block("early") + block("wide", passed), ""},
      {"it stands behind, and decides before", block("recipient", passed) + block("early"), ""},
      {"it stands behind", block("wide", passed) + block("early"),
       "8:21: plugin.exempt.passed: early decides at connect, after wide has refused; put its "
       "[[plugin]] block first"},
      {"it stands behind, but the effect is later",
       block("wide", passed + "enforce_at = \"mail\"\n") + block("early"), ""},
      {"it decides later",
       block("early") + block("greeting", "exempt = { passed = [\"sender\"] }\n") + block("sender"),
       "10:21: plugin.exempt.passed: sender decides at mail, after greeting has refused; set a "
       "later enforce_at, or remove it"},
      {"it is the same", block("early", passed),
       "8:21: plugin.exempt.passed: an instance cannot vouch for itself"},
      {"there is none", block("wide", passed),
       "8:21: plugin.exempt.passed: no [[plugin]] block is named 'early'; there are \"wide\""},
      {"it is misspelt", block("early") + block("wide", "exempt = { passed = [\"earl\"] }\n"),
       "10:21: plugin.exempt.passed: no [[plugin]] block is named 'earl'; did you mean \"early\"?"},
      {"for all, and misspelt",
       "[plugin_defaults]\nexempt = { passed = [\"earl\"] }\n" + block("early") + block("wide"),
       "7:21: plugin_defaults.exempt.passed: no [[plugin]] block is named 'earl'; did you mean "
       "\"early\"?"},
      {"for all, itself too",
       "[plugin_defaults]\nexempt = { passed = [\"early\"] }\n" + block("early") + block("wide"),
       ""},
  }));
  CAPTURE(row.why);
  CHECK(Site(row.blocks).lines() ==
        (row.line.empty() ? Lines{} : Lines{"postern.toml:" + row.line}));
}

TEST_CASE("exempt.passed: a plugin's own default counts where there are such instances",
          "[policy][stages]") {
  CHECK(Site(block("sparing")).lines() == Lines{});
  CHECK(Site(block("early") + block("sparing")).lines() == Lines{});
  CHECK(Site(block("recipient") + block("sparing", "enforce_at = \"rcpt\"\n")).lines() == Lines{});
  Site late(block("sparing") + block("recipient"));
  const Loaded loaded = late.load();
  CHECK(loaded.usable());
  CHECK(late.lines() ==
        Lines{"postern.toml:6:1: plugin.exempt.passed: recipient decides after sparing, and so "
              "exempts nobody from it"});
}

TEST_CASE("plugin_defaults.exempt: is noted where it comes too late for some", "[policy][stages]") {
  Site site(
      "[plugin_defaults]\nexempt = { senders = [\"@friend.example\"], authenticated = true }\n" +
      block("early") + block("greeting") + block("sender") +
      block("wide", "enforce_at = \"rcpt\"\n"));
  const Loaded loaded = site.load();
  CHECK(loaded.usable());
  CHECK(loaded.lines() ==
        Lines{"postern.toml:7:22: plugin_defaults.exempt.senders: is not known in time for early, "
              "greeting, which refuse before; it has no effect on them",
              "postern.toml:7:59: plugin_defaults.exempt.authenticated: is not known in time for "
              "early, greeting, which refuse before; it has no effect on them"});
}

TEST_CASE("domains: an exemption that the new step makes impossible is told there",
          "[policy][stages]") {
  Site site(
      block("wide", "enforce_at = \"rcpt\"\nexempt = { recipients = [\"a@example.net\"] }\n"));
  site.domain("a.example", "[plugin.wide]\nthreshold = 3\n");
  CHECK(site.lines() == Lines{});
  site.domain("b.example", "[plugin.wide]\nenforce_at = \"mail\"\n");
  CHECK(
      site.lines() ==
      Lines{"domains/b.example.toml:2:14: plugin.wide.exempt.recipients: the recipient is not "
            "known yet at mail, where wide refuses; set enforce_at = \"rcpt\" or later, or remove "
            "it"});
}

TEST_CASE("domains: who switches an instance on answers for the block's exemptions",
          "[policy][stages]") {
  Site site(block("wide", "mode = \"off\"\nexempt = { senders = [\"a@example.net\"] }\n"));
  site.domain("a.example", "[plugin.wide]\nmode = \"on\"\n");
  CHECK(site.lines() ==
        Lines{"domains/a.example.toml:2:8: plugin.wide.exempt.senders: the sender is not known yet "
              "at connect, where wide refuses; set enforce_at = \"mail\" or later, or remove it"});
}

TEST_CASE("exempt: what a plugin itself exempts is its own affair", "[policy][stages]") {
  FakeCatalog catalog;
  PluginType type = *catalog.find("early");
  type.name = "kind";
  type.defaults.exempt.authenticated = true;
  catalog.add(std::move(type));
  for (const std::string defaults : {"", "[plugin_defaults]\nexempt = { relay = true }\n"}) {
    Site site(defaults + block("kind"));
    site.catalog = &catalog;
    const Loaded loaded = site.load();
    CHECK(loaded.lines() == Lines{});
    CHECK(loaded.snapshot->site().of(0).common.exempt.authenticated);
  }
}

TEST_CASE("mode off: is not asked what it could know", "[policy][stages]") {
  CHECK(Site(block("early", "mode = \"off\"\nexempt = { senders = [\"a@example.net\"] }\n"))
            .lines() == Lines{});
}

}  // namespace postern::policy
