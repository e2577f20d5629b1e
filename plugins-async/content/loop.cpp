// loop: refuse what has made too many hops (RFC 5321 section 6.3).
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class Loop final : public PluginOf<Loop> {
 public:
  static constexpr const char* summary = "Refuses messages that go in circles.";
  struct Settings {
    std::size_t most = 50;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("most", &Settings::most,
             "Received and Delivered-To fields that are too many, ours not counted")
        .at_least(1)
        .at_most(1000);
  }
  void setup(Hooks& hooks) override { hooks.on_headers(this, &Loop::decide); }

 private:
  Verdict decide(Message& message) {
    const auto& header = message.header();
    if (header.count("Received") + header.count("Delivered-To") < settings(message).most)
      return Verdict::next();
    return Verdict::verbatim({554, {5, 4, 6}, "Too many hops"});
  }
};

}  // namespace

POSTERN_PLUGIN(Loop, "loop")

}  // namespace postern::plugins
