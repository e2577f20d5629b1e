// Mistakes in domains/*.toml and in [[plugin]] blocks, and the line that each gets.
#include <postern/policy/policy.hpp>

#include <fmt/format.h>

#include "catch.hpp"
#include "fake_plugins.hpp"
#include "temporary_folder.hpp"

namespace postern::policy {
namespace {

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("domains: a mistake is told with its place, its key and the remedy", "[policy][domain]") {
  struct Row {
    std::string content;
    std::string line;
  };
  const auto row = GENERATE(values<Row>({
      {"[plugin.recipent]",
       "1:9: plugin.recipent: no [[plugin]] block is named 'recipent'; did "
       "you mean \"recipient\"?"},
      {"[plugin.zzz]",
       "1:9: plugin.zzz: no [[plugin]] block is named 'zzz'; there are "
       "\"recipient\", \"early\", \"wide\", \"recipient:b\""},
      {"[plugin.recipient]\nsmall = 2",
       "2:1: plugin.recipient.small: cannot be set for a domain or recipient: it holds for all; "
       "set it in the [[plugin]] block"},
      {"[plugin.recipient]\nparallel = 2",
       "2:1: plugin.recipient.parallel: cannot be set for a domain or recipient: it holds for all; "
       "set it in the [[plugin]] block"},
      {"[plugin.recipient]\nuse = \"late\"",
       "2:1: plugin.recipient.use: cannot be set for a domain or recipient: it holds for all; set "
       "it in the [[plugin]] block"},
      {"[plugin.recipient]\ntreshold = 2",
       "2:1: plugin.recipient.treshold: no such key; did you mean 'threshold'?"},
      {"[plugin.recipient]\nthreshold = 0",
       "2:13: plugin.recipient.threshold: 0 is too small; at least 1"},
      {"[plugin.recipient]\nexempt = { sender = [] }",
       "2:12: plugin.recipient.exempt.sender: no such key; did you mean 'senders'?"},
      {"[plugin.recipient]\nexempt = { senders = [\"a b\"] }",
       "2:23: plugin.recipient.exempt.senders: 'a b' is neither an address, @domain, .domain nor a "
       "local-part without domain"},
      {"plugin = 3",
       "1:10: plugin: expected a table for each instance, found an integer; write "
       "[plugin.NAME]"},
      {"[[plugin]]\nuse = \"late\"",
       "1:1: plugin: expected a table for each instance, found a list; write [plugin.NAME]"},
      {"plugin.recipient = 1", "1:20: plugin.recipient: expected a table, found an integer"},
      {"hostname = \"x\"",
       "1:1: hostname: no such key; known here: plugin, recipient, mixed, "
       "score"},
      {"mixed = \"hold\"",
       "1:9: mixed: 'hold' is not available in this version; use \"split\", "
       "\"strictest\" or \"lenient\""},
      {"[score]\nquarantine_at = 3",
       "2:1: score.quarantine_at: is not available in this version; remove it"},
      {"[score]\ndefer_at = 3\nreject_at = 3",
       "2:12: score.defer_at: 3 is not below reject_at, so that nothing would be deferred"},
      {"[recipient.\"a@example.org\".plugin.recipient]",
       "1:12: recipient.\"a@example.org\": is not an address of example.net; write "
       "[recipient.\"NAME@example.net\".plugin.…]"},
      {"[recipient.anna.plugin.recipient]",
       "1:12: recipient.\"anna\": is not an address of example.net; write "
       "[recipient.\"NAME@example.net\".plugin.…]"},
      {"[recipient.\"@example.net\".plugin.recipient]",
       "1:12: recipient.\"@example.net\": is not an address of example.net; write "
       "[recipient.\"NAME@example.net\".plugin.…]"},
      {"recipient = []", "1:13: recipient: expected a table for each recipient, found a list"},
      {"[recipient]\n\"a@example.net\" = 1",
       "2:19: recipient.\"a@example.net\": expected a table, found an integer"},
      {"[recipient.\"a@example.net\"]\nmixed = \"split\"",
       "2:1: recipient.\"a@example.net\".mixed: no such key; see postern.toml(5)"},
      {"[recipient.\"a@example.net\".plugin.recipient]\nthreshold = 0",
       "2:13: recipient.\"a@example.net\".plugin.recipient.threshold: 0 is too small; at least 1"},
      {"[recipient.\"a@example.net\"]\n[recipient.\"A@Example.net\"]",
       "1:12: recipient.\"a@example.net\": stands twice in this file"},
      {"[plugin.early]\nthreshold = 2",
       "1:1: plugin.early: comes too late: early takes effect at connect, before the recipient is "
       "known; set enforce_at = \"rcpt\" in its [[plugin]] block"},
      {"[plugin.early]\nenforce_at = \"mail\"",
       "1:1: plugin.early: comes too late: early takes effect at mail, before the recipient is "
       "known; set enforce_at = \"rcpt\" in its [[plugin]] block"},
      {"[plugin.early]\nmode = \"off\"",
       "1:1: plugin.early: comes too late: early takes effect at connect, before the recipient is "
       "known; set enforce_at = \"rcpt\" in its [[plugin]] block"},
      {"[plugin.recipient]\nmode = \"score\"",
       "2:8: plugin.recipient.mode: \"score\" needs a table [score] with defer_at, reject_at or "
       "both"},
      {"[plugin.recipient]\nmode = \"quarantine\"",
       "2:8: plugin.recipient.mode: 'quarantine' is not available in this version; use \"on\", "
       "\"off\", \"observe\", \"tag\", \"score\" or \"defer\""},
      {"[plugin.recipient]\nfile = \"nowhere\"",
       "2:8: plugin.recipient.file: /etc/postern/nowhere: was not read"},
      {"a = [", ""},  // syntax: toml++ says it in its own words
  }));
  CAPTURE(row.content);
  Site site(block("recipient") + block("early") + block("wide") +
            block("recipient", "name = \"recipient:b\"\n"));
  site.domain("example.net", row.content);
  const Loaded loaded = site.load();
  CHECK_FALSE(loaded.usable());
  REQUIRE(loaded.lines().size() == 1);
  if (!row.line.empty()) CHECK(loaded.lines()[0] == "domains/example.net.toml:" + row.line);
}

TEST_CASE("domains: good overrides get no line", "[policy][domain]") {
  const auto content =
      GENERATE(as<std::string>(), "", "[plugin.early]\nenforce_at = \"rcpt\"",
               "[plugin.wide]\nthreshold = 3", "[plugin.\"recipient:b\"]\nthreshold = 3",
               "[plugin.recipient]\nexempt.recipients = [\"abuse\"]",
               "[plugin.recipient]\nmode = \"score\"\n[score]\nreject_at = 3");
  CAPTURE(content);
  Site site(block("recipient") + block("early") + block("wide") +
            block("recipient", "name = \"recipient:b\"\n"));
  CHECK(site.domain("example.net", content).lines() == Lines{});
}

TEST_CASE("domains: a file's name is that of one domain, and of one file", "[policy][domain]") {
  const auto told = [](const std::string& name) {
    Site site(block("recipient"));
    site.domain("example.net", "").domain(name, "");
    return site.lines();
  };
  CHECK(told("Example.net") == Lines{"domains/Example.net.toml: domains/example.net.toml is for "
                                     "the same domain; keep one"});
  CHECK(told("a..b") == Lines{"domains/a..b.toml: the file's name is not that of a domain: it has "
                              "an empty label"});
  CHECK(told("") == Lines{"domains/.toml: the file's name is not that of a domain: it is empty"});
  CHECK(told("b\xc3\xbc"
             "cher.example") == Lines{});
  Site site(block("recipient"));
  site.bundle.files.push_back(
      {File::Kind::domain, "domains/x.example.toml", "", "Permission denied"});
  CHECK(site.lines() == Lines{"domains/x.example.toml: Permission denied"});
}

TEST_CASE("[[plugin]]: a mistake is told with its place, its key and the remedy",
          "[policy][plugin]") {
  struct Row {
    std::string blocks;
    std::string line;
  };
  const auto row = GENERATE(values<Row>({
      {block("earley"), "7:7: plugin.use: no plugin 'earley'; did you mean \"early\"?"},
      {block("broken"), "7:7: plugin.use: 'broken' cannot be loaded: made for another version"},
      {block("early:x"),
       "7:7: plugin.use: no plugin 'early:x'; write use = \"early\" and name = "
       "\"early:x\""},
      {block("early") + block("early"),
       "8:1: plugin.name: 'early' stands in postern.toml:6 already; name one of them "
       "\"early:WORD\""},
      {block("early", "name = \"strict\"\n"),
       "8:8: plugin.name: 'strict' is neither \"early\" nor \"early:WORD\" of letters, digits, "
       "'_' and '-', at most 64 octets"},
      {block("early", "name = \"early:a b\"\n"),
       "8:8: plugin.name: 'early:a b' is neither \"early\" nor \"early:WORD\" of letters, digits, "
       "'_' and '-', at most 64 octets"},
      {block("early", "name = \"early:\"\n"),
       "8:8: plugin.name: 'early:' is neither \"early\" nor \"early:WORD\" of letters, digits, '_' "
       "and '-', at most 64 octets"},
      {block("early", "theshold = 2\n"),
       "8:1: plugin.theshold: no such key; did you mean 'threshold'?"},
      {block("early", "on_eror = \"next\"\n"),
       "8:1: plugin.on_eror: no such key; did you mean 'on_error'?"},
      {block("early", "small = 11\n"), "8:9: plugin.small: 11 is too large; at most 10"},
      {block("early", "small = -1\n"), "8:9: plugin.small: a negative number makes no sense here"},
      {block("early", "threshold = 3000000000\n"),
       "8:13: plugin.threshold: 3000000000 is too large; at most 2147483647"},
      {block("early", "ratio = 0.1\n"), "8:9: plugin.ratio: 0.1 is too small; at least 0.25"},
      {block("early", "ratio = nan\n"), "8:9: plugin.ratio: expected a finite number"},
      {block("early", "ratio = \"x\"\n"), "8:9: plugin.ratio: expected a number, found a string"},
      {block("early", "most = \"x\"\n"), "8:8: plugin.most: expected an integer, found a string"},
      {block("early", "colour = \"gren\"\n"),
       "8:10: plugin.colour: 'gren' is not \"red\" or \"green\"; did you mean \"green\"?"},
      {block("early", "zones = \"x\"\n"),
       "8:9: plugin.zones: expected a list, found a string; put it in brackets: [ ]"},
      {block("early", "zones = [3]\n"), "8:10: plugin.zones: expected a string, found an integer"},
      {block("early", "zones = [{ weight = 2 }]\n"),
       "8:10: plugin.zones.name: is missing; expected a string"},
      {block("early", "zones = [\"a\", { name = \"b\", weight = 0 }]\n"),
       "8:38: plugin.zones.weight: 0 is too small; at least 1"},
      {block("early", "zones = [{ name = \"b\", wait = 0 }]\n"),
       "8:24: plugin.zones.wait: no such key; known here: name, weight"},
      {block("early", "pairs = [\"a\"]\n"), "8:10: plugin.pairs: expected a table, found a string"},
      {block("early", "pairs = [{ from = \"a\" }]\n"),
       "8:10: plugin.pairs.to: is missing; expected a string"},
      {block("early", "list = \"a@b\"\n"),
       "8:8: plugin.list: expected a list, found a string; write [\"a@b\"], or name a file with "
       "the "
       "key beside it"},
      {block("early", "list = [\"a@b@\"]\n"),
       "8:9: plugin.list: 'a@b@' is neither an address, @domain, .domain nor a local-part without "
       "domain"},
      {block("early", "patterns = [\"x(+\"]\n"),
       "8:13: plugin.patterns: 'x(+' is no regular expression: no argument for repetition "
       "operator: "
       "+"},
      {block("early", "patterns = [\"example.net\"]\n"),
       "8:13: plugin.patterns: 'example.net' is neither an address, @domain nor a regular "
       "expression"},
      {block("early", "file = \"nowhere\"\n"),
       "8:8: plugin.file: /etc/postern/nowhere: was not read"},
      {block("early", "reply = \"{reson}\"\n"),
       "8:9: plugin.reply: no placeholder {reson}; did you mean {reason}?"},
      {block("early", "mode = \"quarantine\"\n"),
       "8:8: plugin.mode: 'quarantine' is not available in this version; use \"on\", \"off\", "
       "\"observe\", \"tag\", \"score\" or \"defer\""},
      {block("early", "mode = \"score\"\n"),
       "8:8: plugin.mode: \"score\" needs a table [score] with defer_at, reject_at or both"},
      {"[plugin_defaults]\nmode = \"score\"\n" + block("early"),
       "7:8: plugin.mode: \"score\" needs a table [score] with defer_at, reject_at or both"},
      {"[plugin_defaults]\nmode = \"loud\"\n" + block("early"),
       "7:8: plugin_defaults.mode: 'loud' is not \"on\", \"off\", \"observe\", \"tag\", \"score\" "
       "or \"defer\""},
      {"[plugin_defaults]\nthreshold = 3\n" + block("early"),
       "7:1: plugin_defaults.threshold: no such key; see postern.toml(5)"},
      {"[score]\n" + block("early"), "6:2: score: is empty; set defer_at, reject_at or both"},
      {"[score]\nreject_at = 2\ndefer_at = 7\n" + block("early"),
       "8:12: score.defer_at: 7 is not below reject_at, so that nothing would be deferred"},
  }));
  CAPTURE(row.blocks);
  CHECK(Site(row.blocks).lines() == Lines{"postern.toml:" + row.line});
}

TEST_CASE("read_bundle: takes in domains by name, and the lists that they name",
          "[policy][bundle]") {
  const TemporaryFolder folder;
  const std::string path =
      folder.write("postern.toml",
                   "hostname = \"mx.example.net\"\n[[listen]]\naddress = "
                   "\"127.0.0.1:0\"\n[forward]\nto = [\"127.0.0.1:1\"]\n[plugin_defaults]\n"
                   "exempt.senders_file = \"lists/friends\"\n" +
                       block("recipient"));
  folder.write("domains/b.example.toml",
               "[recipient.\"x@b.example\".plugin.recipient]\npatterns_file = \"lists/b\"\n");
  folder.write("domains/a.example.toml", "[plugin.recipient]\nfile = \"lists/a\"\n");
  folder.write("domains/README", "x");
  folder.write("domains/.hidden.toml", "x");
  folder.write("lists/a", "anna@example.org\n");
  folder.write("lists/b", "^b\n");
  folder.write("lists/friends", "@friend.example\n");
  const auto bundle = read_bundle(path);
  REQUIRE(bundle);
  Lines paths;
  for (const File& file : bundle->files) paths.push_back(file.path);
  CHECK(paths == Lines{path, folder.path("domains/a.example.toml"),
                       folder.path("domains/b.example.toml"), folder.path("lists/friends"),
                       folder.path("lists/a"), folder.path("lists/b")});
  const auto again = Bundle::parse(bundle->serialize());
  REQUIRE(again);
  CHECK(again->files[1].kind == File::Kind::domain);
  FakeCatalog catalog;
  const Loaded loaded = load(*again, catalog, {false});
  CHECK(loaded.lines() == Lines{});
  CHECK(settings_of(loaded.snapshot->of("x", "a.example")).list.contains("anna", "example.org"));
  CHECK(settings_of(loaded.snapshot->of("x", "b.example")).patterns.match("bert@x.example"));
  CHECK(loaded.snapshot->site().of(0).common.exempt.senders.contains("a", "friend.example"));
}

TEST_CASE("read_bundle: a folder of domains that cannot be read is an error", "[policy][bundle]") {
  const TemporaryFolder folder;
  const std::string path = folder.write("postern.toml",
                                        "hostname = \"mx.example.net\"\n[[listen]]\naddress = "
                                        "\"127.0.0.1:0\"\n[forward]\nto = [\"127.0.0.1:1\"]\n" +
                                            block("recipient"));
  folder.write("domains", "a file where the folder should be");
  const auto bundle = read_bundle(path);
  REQUIRE(bundle);
  FakeCatalog catalog;
  CHECK(load(*bundle, catalog, {false}).lines() ==
        Lines{folder.path("domains") + ": Not a directory"});
}

}  // namespace postern::policy
