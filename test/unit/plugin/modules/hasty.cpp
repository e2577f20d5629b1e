// A plugin whose setup() wants to work already.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class Hasty final : public PluginOf<Hasty> {
 public:
  void setup(Hooks&) override { log().info("here I am"); }
};

}  // namespace

POSTERN_PLUGIN(Hasty, "hasty")

}  // namespace postern::plugins
