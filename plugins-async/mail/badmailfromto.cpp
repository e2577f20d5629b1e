// badmailfromto: to certain senders certain recipients do not exist.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class BadMailFromTo final : public PluginOf<BadMailFromTo> {
 public:
  static constexpr const char* summary =
      "Hides recipients from certain senders, who hear what they would hear of an unknown one.";
  struct Settings {
    PatternList list;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("list", &Settings::list,
             "pairs: a sender (an address, @domain or a pattern) and, after blanks, a recipient "
             "(an address or @domain)")
        .per_domain();
    schema.defaults().exempt.relay = true;
  }
  static std::string fault(const Settings& settings) {
    for (const PatternList::Entry& entry : written_entries(settings.list))
      if (!is_recipient(entry.reply))
        return fmt::format("'{}' has no recipient behind the sender", entry.text);
    return {};
  }
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &BadMailFromTo::decide); }

 private:
  static bool is_recipient(std::string_view text) {
    return text.find('@') != text.npos && text.find_first_of(" \t") == text.npos;
  }
  static bool is_meant(std::string_view recipient, const Recipient& to) {
    if (recipient.starts_with('@')) return iequals(recipient.substr(1), to.domain());
    return iequals(recipient, to.key());
  }

  // All pairs of a sender count, not the last one only. A bounce has no sender.
  Verdict decide(Recipient& to) {
    const smtp::Path& from = to.transaction().reverse_path();
    if (from.is_null()) return Verdict::next();
    const std::string sender = from.mailbox_key();
    for (const PatternList::Entry* pair : all_matches(settings(to).list, sender)) {
      if (is_meant(pair->reply, to)) return Verdict::reject_as_unknown();
      if (!is_recipient(pair->reply))
        log().warning("{}: '{}' has no recipient behind the sender", instance_name(), pair->text);
    }
    return Verdict::next();
  }
};

}  // namespace

POSTERN_PLUGIN(BadMailFromTo, "badmailfromto")

}  // namespace postern::plugins
