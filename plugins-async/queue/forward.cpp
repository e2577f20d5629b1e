// forward: recipients whose mail goes to another server than [forward] names.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class Forward final : public PluginOf<Forward> {
 public:
  static constexpr const char* summary = "Forwards to another mail server.";
  struct Settings {
    std::vector<SocketAddress> to;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("to", &Settings::to,
             "the mail server, as ADDRESS:PORT; several are tried in this order; not set: mail of "
             "these recipients goes on to the next "
             "route")
        .per_domain();
  }
  void setup(Hooks& hooks) override { hooks.on_route(this, &Forward::choose); }

 private:
  std::optional<deliver::Route*> choose(Recipient& to) {
    auto* routes = services().find<Routes>("postern");
    const auto& addresses = settings(to).to;
    if (!routes || addresses.empty()) return {};
    return &routes->forward(addresses);
  }
};

}  // namespace

POSTERN_PLUGIN(Forward, "forward")

}  // namespace postern::plugins
