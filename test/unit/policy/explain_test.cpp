#include <postern/policy/explain.hpp>
#include <postern/policy/shown_value.hpp>

#include <fmt/format.h>

#include "catch.hpp"
#include "fake_plugins.hpp"

namespace postern::policy {
namespace {

class Explained {
 public:
  explicit Explained(Site& site) : bundle_(site.bundle), loaded_(site.load()) {
    for (const std::string& line : loaded_.lines()) UNSCOPED_INFO(line);
    REQUIRE(loaded_.usable());
  }

  Explanation of(std::string_view subject) const {
    auto explanation = explain(bundle_, *loaded_.snapshot, subject);
    REQUIRE(explanation);
    return std::move(*explanation);
  }

  // "value | size | origin" of a key.
  std::string of(std::string_view subject, std::string_view name, std::size_t instance = 0) const {
    const Explanation explanation = of(subject);
    const auto& keys = name == "mixed" || name.starts_with("score.")
                           ? explanation.messages
                           : explanation.instances.at(instance).keys;
    for (const ExplainedKey& key : keys)
      if (key.name == name)
        return fmt::format("{} | {} | {}", key.value, key.size, key.origin.text());
    return "no such key";
  }

 private:
  const Bundle& bundle_;
  Loaded loaded_;
};

Site site_with_overrides() {
  Site site(
      "[score]\nreject_at = 10\n"
      "[plugin_defaults]\nmode = \"tag\"\ntimeout = \"7s\"\n"
      "exempt = { authenticated = true }\n" +
      block("recipient",
            "threshold = 2\nzones = [\"a.example\", { name = \"b.example\", weight = 3 }]\n"
            "words = [\"x\", \"y\"]\nlist = [\"@bad.example\"]\nfile = \"bad\"\n"
            "exempt = { senders = [\"@friend.example\"] }\n") +
      block("late"));
  site.bundle.files.front().content.insert(0, "mixed = \"strictest\"\n");
  site.list("bad", "a@x.example\n# b@x.example\nnot good\nc@x.example\n");
  site.domain("example.net",
              "mixed = \"lenient\"\n[plugin.recipient]\nthreshold = 4\nmode = \"observe\"\n"
              "exempt = { relay = true }\n"
              "[recipient.\"Anna@example.net\".plugin.recipient]\nthreshold = 5\n");
  return site;
}

}  // namespace

TEST_CASE("explain: the value that holds, and which file and line it comes from",
          "[policy][explain]") {
  Site site = site_with_overrides();
  const Explained explained(site);
  struct Row {
    const char* subject;
    const char* key;
    const char* expected;
  };
  const auto row = GENERATE(values<Row>({
      {"other.example", "threshold", "2 |  | block at postern.toml:15"},
      {"other.example", "small", "3 |  | default"},
      {"other.example", "most", "no limit |  | default"},
      {"other.example", "pause", " |  | default"},
      {"other.example", "zones",
       "[\"a.example\", { name = \"b.example\", weight = 3 }] |  | block at postern.toml:16"},
      {"other.example", "pairs", " |  | default"},
      {"other.example", "words", "[\"x\", \"y\"] |  | block at postern.toml:17"},
      {"other.example", "list", "[\"@bad.example\"] |  | block at postern.toml:18"},
      {"other.example", "file", "\"bad\" | 2 entries | block at postern.toml:19"},
      {"other.example", "patterns", " |  | default"},
      {"other.example", "mode", "\"tag\" |  | plugin_defaults at postern.toml:10"},
      {"other.example", "timeout", "\"7s\" |  | plugin_defaults at postern.toml:11"},
      {"other.example", "exempt.authenticated", "true |  | plugin_defaults at postern.toml:12"},
      {"other.example", "exempt.senders", "[\"@friend.example\"] |  | block at postern.toml:20"},
      {"other.example", "on_error", "\"defer\" |  | default"},
      {"other.example", "mixed", "\"strictest\" |  | postern.toml:1"},
      {"other.example", "score.reject_at", "10 |  | postern.toml:8"},
      {"Example.NET", "threshold", "4 |  | domains/example.net.toml:3"},
      {"@example.net", "mode", "\"observe\" |  | domains/example.net.toml:4"},
      {"example.net", "timeout", "\"7s\" |  | plugin_defaults at postern.toml:11"},
      {"example.net", "exempt.relay", "true |  | domains/example.net.toml:5"},
      {"example.net", "exempt.authenticated", "true |  | plugin_defaults at postern.toml:12"},
      {"example.net", "mixed", "\"lenient\" |  | domains/example.net.toml:1"},
      {"example.net", "score.reject_at", "10 |  | postern.toml:8"},
      {"bert@example.net", "threshold", "4 |  | domains/example.net.toml:3"},
      {"anna@example.net", "threshold", "5 |  | recipient in domains/example.net.toml:7"},
      {"\"ANNA\"@example.net", "threshold", "5 |  | recipient in domains/example.net.toml:7"},
      {"anna@example.net", "mode", "\"observe\" |  | domains/example.net.toml:4"},
  }));
  CAPTURE(row.subject, row.key);
  CHECK(explained.of(row.subject, row.key) == row.expected);
}

TEST_CASE("explain: what a plugin has of its own where nobody sets anything", "[policy][explain]") {
  Site site(block("recipient") + block("late", "name = \"late:more\"\n"));
  const Explained explained(site);
  CHECK(explained.of("a.example", "on_error", 0) == "\"defer\" |  | default");
  CHECK(explained.of("a.example", "on_error", 1) == "\"next\" |  | default");
  CHECK(explained.of("a.example", "timeout", 1) == "\"30s\" |  | default");
  const Explanation explanation = explained.of("a.example");
  CHECK(explanation.instances.at(1).name == "late:more");
  CHECK(explanation.instances.at(1).use == "late");
}

TEST_CASE("explain: every key that a plugin has is told, once", "[policy][explain]") {
  Site site(block("recipient"));
  const Explained explained(site);
  std::vector<std::string> names;
  const Explanation explanation = explained.of("a.example");
  for (const ExplainedKey& key : explanation.instances.front().keys) names.push_back(key.name);
  CHECK(names == std::vector<std::string>{"zones",
                                          "pairs",
                                          "words",
                                          "list",
                                          "file",
                                          "patterns",
                                          "patterns_file",
                                          "threshold",
                                          "small",
                                          "ratio",
                                          "most",
                                          "colour",
                                          "pause",
                                          "loud",
                                          "mode",
                                          "enforce_at",
                                          "exempt.clients",
                                          "exempt.rdns",
                                          "exempt.helo",
                                          "exempt.senders",
                                          "exempt.senders_file",
                                          "exempt.recipients",
                                          "exempt.recipients_file",
                                          "exempt.passed",
                                          "exempt.authenticated",
                                          "exempt.relay",
                                          "on_error",
                                          "timeout",
                                          "parallel",
                                          "reply",
                                          "points",
                                          "may_drop"});
}

TEST_CASE("explain: refuses what is neither a domain nor a recipient", "[policy][explain]") {
  Site site(block("recipient"));
  const Loaded loaded = site.load();
  for (const char* subject : {"", "@", "a b@example.net", "x@", "a..b", "x@a..b"}) {
    CAPTURE(subject);
    CHECK_FALSE(explain(site.bundle, *loaded.snapshot, subject));
  }
}

TEST_CASE("explain_page: overridden keys are marked, and empty tables are one line",
          "[policy][explain]") {
  Site site(block("recipient", "threshold = 2\n"));
  site.domain("example.net", "[plugin.recipient]\nwords = [\"a\"]\n");
  const Explained explained(site);
  const std::string page = explain_page(explained.of("anna@example.net"));
  CAPTURE(page);
  CHECK(
      page.starts_with("anna@example.net has no settings of its own: those of example.net hold, "
                       "over the site's.\n\nmessages\n  mixed "));
  CHECK(page.find("\nrecipient\n  zones ") != std::string::npos);
  CHECK(page.find("\n* words            [\"a\"]     domains/example.net.toml:2\n") !=
        std::string::npos);
  CHECK(page.find("\n* threshold        2         block at postern.toml:8\n") != std::string::npos);
  CHECK(page.find("\n  exempt           -         default\n") != std::string::npos);
  CHECK(page.find("exempt.") == std::string::npos);
  CHECK(explain_page(explained.of("other.example"))
            .starts_with("other.example has no settings of its own: those of the site hold.\n"));
}

TEST_CASE("explain_json: one object", "[policy][explain]") {
  Site site = site_with_overrides();
  const std::string json = explain_json(Explained(site).of("anna@example.net"));
  CHECK(
      json.starts_with("{\"subject\":\"anna@example.net\",\"scope\":\"anna@example.net\","
                       "\"messages\":{\"keys\":[{\"key\":\"mixed\",\"value\":\"\\\"lenient\\\"\","
                       "\"origin\":\"domain\",\"file\":\"domains/example.net.toml\",\"line\":1}"));
  CHECK(json.find("{\"key\":\"threshold\",\"value\":\"5\",\"origin\":\"recipient\",\"file\":"
                  "\"domains/example.net.toml\",\"line\":7}") != std::string::npos);
  CHECK(json.find("{\"key\":\"pause\",\"value\":null,\"origin\":\"default\"}") !=
        std::string::npos);
  CHECK(json.ends_with("]}]}\n"));
}

TEST_CASE("shown_value: tells no secret", "[policy][explain]") {
  struct Secretive {
    SecretList list;
    std::vector<std::string> secrets;
    std::string bind_password;
    std::string text;
    static void describe(Schema<Secretive>& schema) {
      schema.key("list", &Secretive::list, "users");
      schema.key("secrets", &Secretive::secrets, "secrets");
      schema.key("bind_password", &Secretive::bind_password, "a password");
      schema.key("text", &Secretive::text, "no secret");
    }
  };
  Secretive settings;
  settings.secrets = {"hush"};
  settings.bind_password = "hush";
  settings.text = "a \"b\"\n";
  Value written;
  written.type = Value::Type::text;
  written.text = "hush\n\"";
  std::vector<std::string> shown;
  for (const Key& key : description_of<Secretive>().keys) {
    const void* member = reinterpret_cast<const char*>(&settings) + key.offset;
    shown.push_back(key.name + " = " + shown_value(key, member, member, &written));
  }
  CHECK(shown == std::vector<std::string>{"list = (not shown)", "file = \"hush\\u000a\\\"\"",
                                          "secrets = (not shown)", "bind_password = (not shown)",
                                          "text = \"hush\\u000a\\\"\""});
}

}  // namespace postern::policy
