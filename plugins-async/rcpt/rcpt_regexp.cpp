// rcpt_regexp: a table of recipients, by address or regular expression, and what becomes of each.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

constexpr std::string_view our_text = "Mail to this address is not accepted here";

class RcptRegexp final : public PluginOf<RcptRegexp> {
 public:
  static constexpr const char* summary =
      "Accepts or refuses recipients by a table of addresses and patterns.";
  struct Settings {
    PatternList list;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("list", &Settings::list,
             "\"/^user\\d+@example\\.org$/ OK\": an address, @domain or /regular expression/, then "
             "OK, DECLINED, DENY, DENYSOFT, either of the last with _DISCONNECT, and the text; the "
             "first that matches counts")
        .per_domain();
  }
  static std::string fault(const Settings& settings) {
    for (const PatternList::Entry& entry : written_entries(settings.list))
      if (!verdict_of(entry)) return fmt::format("'{}' has no verdict", entry.text);
    return {};
  }
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &RcptRegexp::decide); }

 private:
  static std::optional<Verdict> verdict_of(const PatternList::Entry& entry) {
    return parse_verdict(entry.reply, {5, 1, 1}, our_text);
  }

  Verdict decide(Recipient& to) {
    for (const PatternList::Entry* entry : all_matches(settings(to).list, to.key())) {
      if (const auto verdict = verdict_of(*entry)) return *verdict;
      log().warning("{}: '{}' has no verdict", instance_name(), entry->text);
    }
    return Verdict::next();
  }
};

}  // namespace

POSTERN_PLUGIN(RcptRegexp, "rcpt_regexp")

}  // namespace postern::plugins
