// random_error: fail now and then, to see what clients make of it. For tests.
#include <postern/plugin.hpp>

#include <cmath>
#include <random>

namespace postern::plugins {
namespace {

class RandomError final : public PluginOf<RandomError> {
 public:
  static constexpr const char* summary =
      "Defers some messages at random, and hangs up on some. For tests.";
  struct Settings {
    double percent = 1;
    std::size_t seed = 0;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("percent", &Settings::percent, "of a hundred messages, how many do not get through")
        .at_least(0)
        .at_most(100)
        .per_domain();
    schema.key("seed", &Settings::seed, "the same seed fails in the same way again; 0: any");
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &RandomError::decide<Session>);
    hooks.on_helo(this, &RandomError::decide<Hello>);
    hooks.on_mail(this, &RandomError::decide<Transaction>);
    hooks.on_rcpt(this, &RandomError::decide<Recipient>);
    hooks.on_data(this, &RandomError::decide<Transaction>);
    hooks.on_message(this, &RandomError::decide<Message>);
  }

 private:
  static constexpr double steps = 6;

  // A message of one recipient passes with (1 - p): each of its six steps with the sixth root.
  template <typename Where>
  Verdict decide(Where& where) {
    const Settings& here = settings(where);
    if (!chance_) chance_.emplace(here.seed != 0 ? here.seed : std::random_device()());
    const double passes = std::pow(1 - here.percent / 100, 1 / steps);
    if (draw() < passes) return Verdict::next();
    if (draw() < 0.4) return Verdict::defer({4, 3, 0}, "random failure").and_close();
    return Verdict::defer({4, 3, 0}, "random failure");
  }

  // From 0 to below 1.
  double draw() { return static_cast<double>((*chance_)()) / 4294967296.0; }

  std::optional<std::mt19937> chance_;
};

}  // namespace

POSTERN_PLUGIN(RandomError, "random_error")

}  // namespace postern::plugins
