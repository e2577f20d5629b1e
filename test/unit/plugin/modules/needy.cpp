// A plugin that needs a fact which nobody makes.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

struct Unknown : Fact<"unknown.fact", 1> {};

class Needy final : public PluginOf<Needy> {
 public:
  void setup(Hooks& hooks) override { hooks.on_connect(this, &Needy::wait).needs<Unknown>(); }

 private:
  Task<Verdict> wait(Session& session) {
    co_await session.facts().await<Unknown>();
    co_return Verdict::next();
  }
};

}  // namespace

POSTERN_PLUGIN(Needy, "needy")

}  // namespace postern::plugins
