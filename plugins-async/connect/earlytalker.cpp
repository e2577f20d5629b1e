// earlytalker: who speaks before the greeting, or behind DATA before 354, does not listen: only
// spamming programs do not.
#include <postern/plugin.hpp>

#include <algorithm>

namespace postern::plugins {
namespace {

enum class Where : std::uint8_t { connect, data };
constexpr auto names_of(Where) { return std::array<std::string_view, 2>{"connect", "data"}; }

struct Early : Fact<"earlytalker.spoke", 1> {
  bool spoke = false;
  void record(Fields& out) const { out.add("spoke", spoke); }
};

class EarlyTalker final : public PluginOf<EarlyTalker> {
 public:
  static constexpr const char* summary = "Refuses clients that speak before their turn.";
  struct Settings {
    std::chrono::milliseconds wait = 1s;
    std::vector<Where> check_at = {Where::connect};
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("wait", &Settings::wait, "how long the greeting waits for the client to speak")
        .at_most(60s);
    schema.key("check_at", &Settings::check_at, "when: before the greeting, behind DATA, or both");
    schema.defaults().timeout = 65s;
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &EarlyTalker::listen).judge(&EarlyTalker::judge).holds();
    hooks.on_data(this, &EarlyTalker::look);
  }

 private:
  static bool checks(const Settings& settings, Where where) {
    return std::find(settings.check_at.begin(), settings.check_at.end(), where) !=
           settings.check_at.end();
  }

  // A client that we relay for is spared the wait.
  Task<Early> listen(Session& session) {
    Early early;
    if (!checks(settings(session), Where::connect) || session.may_relay()) co_return early;
    const std::chrono::milliseconds wait = settings(session).wait;
    early.spoke = co_await session.early_input(wait);
    co_return early;
  }

  Verdict judge(const Early& early, const Settings&) const {
    if (!early.spoke) return Verdict::next();
    return Verdict::reject({5, 5, 1}, "You spoke before the greeting");
  }

  Verdict look(Transaction& tx) {
    if (!checks(settings(tx), Where::data) || !tx.session().talks_ahead()) return Verdict::next();
    return Verdict::verbatim({503, {5, 5, 1}, "You sent content before the server was ready"});
  }
};

}  // namespace

POSTERN_PLUGIN(EarlyTalker, "earlytalker")

}  // namespace postern::plugins
