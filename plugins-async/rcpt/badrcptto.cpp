// badrcptto: refuse listed recipients: addresses that were given up, tricks of relay testers.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class BadRcptTo final : public PluginOf<BadRcptTo> {
 public:
  static constexpr const char* summary = "Refuses listed recipients.";
  struct Settings {
    PatternList list;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("list", &Settings::list,
             "recipients that are refused: an address, @domain or a pattern, and the text to say")
        .per_domain();
  }
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &BadRcptTo::decide); }

 private:
  Verdict decide(Recipient& to) {
    const auto* entry = settings(to).list.match(to.key());
    if (!entry) return Verdict::next();
    if (!entry->reply.empty()) return Verdict::reject({5, 1, 1}, std::string(entry->reply));
    return Verdict::reject({5, 1, 1}, fmt::format("Mail to {} is not accepted here", to.key()));
  }
};

}  // namespace

POSTERN_PLUGIN(BadRcptTo, "badrcptto")

}  // namespace postern::plugins
