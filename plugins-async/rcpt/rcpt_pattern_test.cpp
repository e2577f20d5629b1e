// rcpt_pattern_test: what a local-part of ours never looks like.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

constexpr std::string_view our_text = "Mail to this address is not accepted here";

class RcptPatternTest final : public PluginOf<RcptPatternTest> {
 public:
  static constexpr const char* summary =
      "Judges recipients by what they look like: invented local-parts differ from real ones.";
  struct Settings {
    PatternList rules;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("rules", &Settings::rules,
             "\"[0-9]@ DENY No local-part ends in a digit\": a regular expression, then DENY, "
             "DENYSOFT, either with _DISCONNECT, or DECLINED to ask no further rule, and the text")
        .per_domain();
  }
  static std::string fault(const Settings& settings) {
    for (const PatternList::Entry& rule : written_entries(settings.rules))
      if (!verdict_of(rule.reply)) return fmt::format("'{}' has no verdict", rule.text);
    return {};
  }
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &RcptPatternTest::decide); }

 private:
  // It refuses, and accepts nobody: what looks good need not exist.
  static std::optional<Verdict> verdict_of(std::string_view text) {
    auto verdict = parse_verdict(text, {5, 1, 1}, our_text);
    if (verdict && verdict->kind() == Verdict::Kind::accept) return {};
    return verdict;
  }

  // Without needless quotes, which would hide what stands within, and as it was written, which
  // shows that there were quotes. The first rule that matches counts.
  Verdict decide(Recipient& to) {
    const std::string written = to.path().text;
    for (const std::string_view address : {to.key(), std::string_view(written)}) {
      for (const PatternList::Entry* rule : all_matches(settings(to).rules, address)) {
        if (const auto verdict = verdict_of(rule->reply)) {
          if (verdict->kind() == Verdict::Kind::next) break;
          return *verdict;
        }
        log().warning("{}: '{}' has no verdict", instance_name(), rule->text);
      }
      if (written == to.key()) break;
    }
    return Verdict::next();
  }
};

}  // namespace

POSTERN_PLUGIN(RcptPatternTest, "rcpt_pattern_test")

}  // namespace postern::plugins
