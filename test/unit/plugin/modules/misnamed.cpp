// A plugin in a file of another name.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class Misnamed final : public PluginOf<Misnamed> {
 public:
  void setup(Hooks&) override {}
};

}  // namespace

POSTERN_PLUGIN(Misnamed, "another_name")

}  // namespace postern::plugins
