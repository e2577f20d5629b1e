// Plugins without code for the tests of settings, and a configuration that uses them.
#pragma once

#include <postern/policy/load.hpp>

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builtin_catalog.hpp"

namespace postern::policy {

struct Zone {
  std::string name;
  int weight = 1;
  bool operator==(const Zone&) const = default;
  static void describe(Schema<Zone>& schema) {
    schema.key("name", &Zone::name, "where to ask").required().alone();
    schema.key("weight", &Zone::weight, "what a listing counts").at_least(1).at_most(100);
  }
};

struct Pair {
  std::string from;
  std::string to;
  static void describe(Schema<Pair>& schema) {
    schema.key("from", &Pair::from, "the sender").required();
    schema.key("to", &Pair::to, "the recipient").required();
  }
};

enum class Colour : std::uint8_t { red, green };
constexpr auto names_of(Colour) { return std::array<std::string_view, 2>{"red", "green"}; }

struct FakeSettings {
  std::vector<Zone> zones;
  std::vector<Pair> pairs;
  std::vector<std::string> words;
  AddressList list;
  PatternList patterns;
  int threshold = 1;
  unsigned small = 3;
  double ratio = 0.5;
  std::optional<std::size_t> most;
  Colour colour = Colour::red;
  std::optional<std::chrono::milliseconds> pause;
  bool loud = false;

  static void describe(Schema<FakeSettings>& schema) {
    using S = FakeSettings;
    schema.list("zones", &S::zones, "lists to ask, with weights").per_domain();
    schema.list("pairs", &S::pairs, "who may not write to whom");
    schema.key("words", &S::words, "some words to look for").per_domain();
    schema.key("list", &S::list, "whose mail is bad").per_domain();
    schema.key("patterns", &S::patterns, "what else is bad").per_domain();
    schema.key("threshold", &S::threshold, "score that refuses").at_least(1).per_domain();
    schema.key("small", &S::small, "a small number of things").at_most(10);
    schema.key("ratio", &S::ratio, "a share of something").at_least(0.25).at_most(1);
    schema.key("most", &S::most, "the most that may come").otherwise("no limit");
    schema.key("colour", &S::colour, "what it looks like");
    schema.key("pause", &S::pause, "how long to wait first");
    schema.key("loud", &S::loud, "say so in the log").per_domain();
  }
};

// early (connect), greeting (helo), sender (mail), wide (connect to rcpt), recipient (rcpt), late
// (message); rcpt_ok and rcpt_accept; `broken` cannot be loaded.
class FakeCatalog final : public Catalog {
 public:
  FakeCatalog() {
    add("early", Stage::now, Stage::now);
    add("greeting", Stage::helo, Stage::helo);
    add("sender", Stage::mail, Stage::mail);
    add("wide", Stage::now, Stage::rcpt);
    add("recipient", Stage::rcpt, Stage::rcpt);
    add("sparing", Stage::mail, Stage::mail);
    types_.back().defaults.exempt.passed = {"early", "recipient"};
    add("late", Stage::message, Stage::message);
    types_.back().defaults.on_error = OnError::next;
    types_.back().defaults.timeout = std::chrono::seconds(30);
  }

  void add(std::string name, Stage earliest, Stage latest) {
    types_.push_back(plugin_type<FakeSettings>(std::move(name), "refuses what is bad", "1.0",
                                               FakeSettings::describe));
    types_.back().earliest = earliest;
    types_.back().latest = latest;
  }
  void add(PluginType type) { types_.push_back(std::move(type)); }

  const PluginType* find(std::string_view name) override {
    for (const PluginType& type : types_)
      if (type.name == name) return &type;
    return builtin_catalog().find(name);
  }
  std::string problem(std::string_view name) override {
    return name == "broken" ? "made for another version" : "";
  }
  std::vector<std::string> names() override {
    std::vector<std::string> out{"broken"};
    for (const PluginType& type : types_) out.push_back(type.name);
    return out;
  }

 private:
  std::deque<PluginType> types_;
};

inline FakeCatalog& shared_catalog() {
  static FakeCatalog catalog;
  return catalog;
}

// Of one configuration in memory; the blocks begin at line 6.
class Site {
 public:
  explicit Site(const std::string& blocks) {
    bundle = Bundle::of("postern.toml", "/etc/postern",
                        "hostname = \"mx.example.net\"\n[[listen]]\naddress = "
                        "\"127.0.0.1:2525\"\n[forward]\nto = [\"127.0.0.1:2526\"]\n" +
                            blocks);
  }
  Site& domain(const std::string& name, const std::string& content) {
    bundle.files.push_back({File::Kind::domain, "domains/" + name + ".toml", content, ""});
    return *this;
  }
  Site& list(const std::string& name, const std::string& content) {
    bundle.files.push_back({File::Kind::list, "/etc/postern/" + name, content, ""});
    return *this;
  }
  Loaded load() { return policy::load(bundle, *catalog, {false}); }
  std::vector<std::string> lines() { return load().lines(); }

  Catalog* catalog = &shared_catalog();  // what is loaded refers to it
  Bundle bundle;
};

inline std::string block(const std::string& use, const std::string& keys = "") {
  return "[[plugin]]\nuse = \"" + use + "\"\n" + keys;
}

inline const FakeSettings& settings_of(const Policy& policy, InstanceIndex instance = 0) {
  return *static_cast<const FakeSettings*>(policy.of(instance).settings);
}

}  // namespace postern::policy
