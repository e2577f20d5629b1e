// A plugin with a key that every plugin has already.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class Unsound final : public PluginOf<Unsound> {
 public:
  struct Settings {
    bool mode = false;
  };
  static void describe(Schema<Settings>& schema) { schema.key("mode", &Settings::mode, "which"); }
  void setup(Hooks&) override {}
};

}  // namespace

POSTERN_PLUGIN(Unsound, "unsound")

}  // namespace postern::plugins
