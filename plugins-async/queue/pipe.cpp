// pipe: recipients whose mail is handed to a program: qmail-queue, exim -bS, sendmail.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class Pipe final : public PluginOf<Pipe> {
 public:
  static constexpr const char* summary = "Hands messages to a program.";
  struct Settings {
    std::string program;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("program", &Settings::program,
             "the name of a [[program]] block; not set: mail of these recipients goes on to the "
             "next route")
        .per_domain();
  }
  void setup(Hooks& hooks) override { hooks.on_route(this, &Pipe::choose); }

 private:
  std::optional<deliver::Route*> choose(Recipient& to) {
    auto* routes = services().find<Routes>("postern");
    const std::string& name = settings(to).program;
    if (!routes || name.empty()) return {};
    if (deliver::Route* route = routes->program(name)) return route;
    throw std::runtime_error("no [[program]] is called '" + name + "'");  // on_error decides
  }
};

}  // namespace

POSTERN_PLUGIN(Pipe, "pipe")

}  // namespace postern::plugins
