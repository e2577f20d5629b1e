// noop_counter: hang up on who does nothing, again and again.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

struct Count : Fact<> {
  std::size_t noops = 0;  // since the last command that was about mail
};

class NoopCounter final : public PluginOf<NoopCounter> {
 public:
  static constexpr const char* summary = "Hangs up after some NOOPs in a row.";
  struct Settings {
    std::size_t most = 3;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("most", &Settings::most, "the NOOP in a row that is answered by hanging up")
        .at_least(1);
  }
  void setup(Hooks& hooks) override {
    hooks.on_noop(this, &NoopCounter::decide);
    hooks.on_helo(this, &NoopCounter::hello);
    hooks.on_mail(this, &NoopCounter::mail);
    hooks.on_rcpt(this, &NoopCounter::rcpt);
    hooks.on_data(this, &NoopCounter::data);
    hooks.on_vrfy(this, &NoopCounter::command);
    hooks.on_help(this, &NoopCounter::command);
  }

 private:
  static Count& count(Session& session) { return session.facts().mine<Count>(); }

  void hello(Hello& hello) { count(hello.session()).noops = 0; }
  void mail(Transaction& tx) { count(tx.session()).noops = 0; }
  void rcpt(Recipient& to) { count(to.session()).noops = 0; }
  void data(Transaction& tx) { count(tx.session()).noops = 0; }
  void command(Command& command) { count(command.session()).noops = 0; }

  Verdict decide(Command& command) {
    if (++count(command.session()).noops < settings(command).most) return Verdict::next();
    return Verdict::verbatim({421, {4, 7, 0}, "Stop wasting my time, too many NOOPs in a row"})
        .and_close();
  }
};

}  // namespace

POSTERN_PLUGIN(NoopCounter, "noop_counter")

}  // namespace postern::plugins
