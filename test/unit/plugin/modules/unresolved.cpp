// A plugin that was linked against less than it uses.
#include <postern/plugin.hpp>

namespace postern::plugins {

void nowhere();

namespace {

class Unresolved final : public PluginOf<Unresolved> {
 public:
  void setup(Hooks&) override { nowhere(); }
};

}  // namespace

POSTERN_PLUGIN(Unresolved, "unresolved")

}  // namespace postern::plugins
