// help: what HELP says, about all and about one command.
#include <postern/plugin.hpp>

#include <algorithm>

namespace postern::plugins {
namespace {

struct Topic {
  std::string command;
  std::string text;
  static void describe(Schema<Topic>& schema) {
    schema.key("command", &Topic::command, "what HELP is asked about: \"MAIL\"").required();
    schema.key("text", &Topic::text, "what it says, a line or several").required();
  }
};

class Help final : public PluginOf<Help> {
 public:
  static constexpr const char* summary = "Answers HELP.";
  struct Settings {
    bool not_implemented = false;
    std::string text = "Try \"HELP COMMAND\" for getting help on COMMAND";
    std::vector<Topic> topics;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("not_implemented", &Settings::not_implemented, "HELP is answered with 502");
    schema.key("text", &Settings::text, "what HELP alone says");
    schema.blocks("topic", &Settings::topics, "what HELP says about a command");
  }
  void setup(Hooks& hooks) override { hooks.on_help(this, &Help::answer); }

 private:
  static smtp::Reply refuse(const char* text) { return {502, {5, 5, 1}, text}; }

  std::optional<smtp::Reply> answer(Command& command) {
    const Settings& mine = settings(command);
    if (mine.not_implemented) return refuse("Not implemented");
    const std::string_view asked = trim(command.argument());
    if (asked.empty()) return smtp::Reply(214, {2, 0, 0}, mine.text);
    if (!std::all_of(asked.begin(), asked.end(), [](char c) { return is_alnum(c) || c == '_'; }))
      return refuse("Invalid command name");
    for (const Topic& topic : mine.topics)
      if (iequals(topic.command, asked)) return smtp::Reply(214, {2, 0, 0}, topic.text);
    return smtp::Reply(214, {2, 0, 0},
                       fmt::format("No help available for SMTP command: {}", asked));
  }
};

}  // namespace

POSTERN_PLUGIN(Help, "help")

}  // namespace postern::plugins
