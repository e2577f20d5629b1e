// maildir: recipients whose mail goes into a Maildir instead of to [forward].
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class Maildir final : public PluginOf<Maildir> {
 public:
  static constexpr const char* summary = "Delivers to a Maildir.";
  struct Settings {
    policy::FilePath path;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("path", &Settings::path,
             "the Maildir; not set: mail of these recipients goes on to the next route")
        .per_domain();
  }
  void setup(Hooks& hooks) override { hooks.on_route(this, &Maildir::choose); }

 private:
  std::optional<deliver::Route*> choose(Recipient& to) {
    auto* routes = services().find<Routes>("postern");
    const std::string& path = settings(to).path.text;
    if (!routes || path.empty()) return {};
    return &routes->maildir(path);
  }
};

}  // namespace

POSTERN_PLUGIN(Maildir, "maildir")

}  // namespace postern::plugins
