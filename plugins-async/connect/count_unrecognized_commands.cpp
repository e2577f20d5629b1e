// count_unrecognized_commands: hang up on what is no mail client.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

struct Count : Fact<> {
  std::size_t commands = 0;
};

class CountUnrecognizedCommands final : public PluginOf<CountUnrecognizedCommands> {
 public:
  static constexpr const char* summary = "Hangs up after some commands that do not exist.";
  struct Settings {
    std::size_t most = 4;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("most", &Settings::most, "the command that is answered by hanging up").at_least(1);
  }
  void setup(Hooks& hooks) override {
    hooks.on_unrecognized(this, &CountUnrecognizedCommands::decide);
  }

 private:
  Verdict decide(Command& command) {
    const std::size_t count = ++command.session().facts().mine<Count>().commands;
    if (count < settings(command).most) return Verdict::next();
    return Verdict::verbatim(
               {521,
                {5, 5, 1},
                fmt::format("{} unrecognized commands: this is SMTP, see RFC 5321", count)})
        .and_close();
  }
};

}  // namespace

POSTERN_PLUGIN(CountUnrecognizedCommands, "count_unrecognized_commands")

}  // namespace postern::plugins
