// A plugin that has some of everything.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

struct Look : Fact<"good.look", 1> {};

class Good final : public PluginOf<Good> {
 public:
  static constexpr const char* summary = "refuses what it is told to refuse";
  struct Settings {
    std::string word = "spam";
    std::chrono::milliseconds wait = 2s;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("word", &Settings::word, "what a local-part may not be").per_domain();
    schema.key("wait", &Settings::wait, "how long it thinks").at_least(1s).at_most(10s);
  }
  void setup(Hooks& hooks) override {
    hooks.on_helo(this, &Good::look).judge(&Good::judge);
    hooks.on_rcpt(this, &Good::decide);
    hooks.on_message(this, &Good::note);
  }

 private:
  Task<Look> look(Hello&) { co_return Look(); }
  Verdict judge(const Look&, const Settings&) const { return Verdict::next(); }
  Verdict decide(Recipient& to) {
    if (to.local_part() != settings(to).word) return Verdict::next();
    return Verdict::reject({5, 7, 1}, "not here");
  }
  void note(Message&) {}
};

}  // namespace

POSTERN_PLUGIN(Good, "good")

}  // namespace postern::plugins
