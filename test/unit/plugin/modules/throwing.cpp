// A plugin whose setup() does not work.
#include <postern/plugin.hpp>

#include <stdexcept>

namespace postern::plugins {
namespace {

class Throwing final : public PluginOf<Throwing> {
 public:
  void setup(Hooks&) override { throw std::runtime_error("no helper program"); }
};

}  // namespace

POSTERN_PLUGIN(Throwing, "throwing")

}  // namespace postern::plugins
