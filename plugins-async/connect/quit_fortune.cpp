// quit_fortune: a saying for clients that leave, as long as they are of the old school.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class QuitFortune final : public PluginOf<QuitFortune> {
 public:
  static constexpr const char* summary = "Tells clients that said HELO a saying at QUIT.";
  struct Settings {
    std::vector<std::string> fortunes;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("fortunes", &Settings::fortunes,
             "sayings, of which a client hears one; each a line or several")
        .required();
  }
  void setup(Hooks& hooks) override {
    hooks.on_helo(this, &QuitFortune::note);
    hooks.on_quit(this, &QuitFortune::answer);
  }

 private:
  struct Greeting : Fact<> {
    bool extended = false;
  };
  void note(Hello& hello) { hello.session().facts().mine<Greeting>().extended = hello.extended(); }

  // Programs that read replies say EHLO.
  std::optional<smtp::Reply> answer(Command& command) {
    const Settings& mine = settings(command);
    const Session& session = command.session();
    if (mine.fortunes.empty() || session.helo().empty()) return {};
    if (session.facts().mine<Greeting>().extended) return {};
    std::string text = fmt::format("{} closing connection", session.hostname());
    std::string_view rest = mine.fortunes[next_++ % mine.fortunes.size()];
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      text += fmt::format("\n  / {}", rest.substr(0, end));
      rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    }
    return smtp::Reply(221, std::move(text));
  }

  std::size_t next_ = 0;  // each in turn
};

}  // namespace

POSTERN_PLUGIN(QuitFortune, "quit_fortune")

}  // namespace postern::plugins
