// rcpt_map: all recipients of some domains, one by one, and what becomes of those not listed.
#include <postern/plugin.hpp>

#include <algorithm>

namespace postern::plugins {
namespace {

constexpr std::string_view our_text = "No such user";

class RcptMap final : public PluginOf<RcptMap> {
 public:
  static constexpr const char* summary = "Judges each recipient of its domains by a table.";
  struct Settings {
    std::vector<DomainPattern> domains;
    PatternList list;
    std::string otherwise = "DENY No such user";
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("domains", &Settings::domains,
             "whose recipients stand in the table; others are not judged")
        .required();
    schema
        .key("list", &Settings::list,
             "\"jane@example.org OK\", \"sales@example.org DENY Mailbox closed\": an address, then "
             "OK, DECLINED, DENY or DENYSOFT, and the text")
        .per_domain();
    schema
        .key("otherwise", &Settings::otherwise,
             "the verdict on recipients of these domains that are not in the table, and its text")
        .per_domain();
  }
  static std::string fault(const Settings& settings) {
    if (!verdict_of(settings.otherwise)) return "otherwise has no verdict";
    for (const PatternList::Entry& entry : written_entries(settings.list))
      if (!verdict_of(entry.reply)) return fmt::format("'{}' has no verdict", entry.text);
    return {};
  }
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &RcptMap::decide); }

 private:
  static std::optional<Verdict> verdict_of(std::string_view text) {
    return parse_verdict(text, {5, 1, 1}, our_text);
  }

  Verdict decide(Recipient& to) {
    const Settings& mine = settings(to);
    const bool is_mine =
        std::any_of(mine.domains.begin(), mine.domains.end(),
                    [&](const DomainPattern& each) { return each.matches(to.domain()); });
    if (!is_mine) return Verdict::next();
    for (const PatternList::Entry* entry : all_matches(mine.list, to.key())) {
      if (const auto verdict = verdict_of(entry->reply)) return *verdict;
      log().warning("{}: '{}' has no verdict", instance_name(), entry->text);
    }
    return verdict_of(mine.otherwise).value_or(Verdict::failed(Errc::malformed));
  }
};

}  // namespace

POSTERN_PLUGIN(RcptMap, "rcpt_map")

}  // namespace postern::plugins
