// A plugin that does what its settings say, at any hook.
#pragma once

#include <postern/plugin.hpp>

#include <stdexcept>
#include <string>

namespace postern::plugins {

// What it does where `at` says.
enum class Act : std::uint8_t {
  next,
  accept,
  reject,
  defer,
  vouch,
  fail,
  raise,       // throws
  nonsense,    // a rejection of class 4
  flood,       // a text of 64 MiB
  accept_too,  // at the wrong hook
  hold,
  drop,
};
constexpr auto names_of(Act) {
  return std::array<std::string_view, 12>{"next",  "accept",     "reject", "defer",
                                          "vouch", "fail",       "raise",  "nonsense",
                                          "flood", "accept_too", "hold",   "drop"};
}

struct FakeSettings {
  std::string at;  // a hook
  Act act = Act::reject;
  std::string text = "no";
  std::chrono::milliseconds wait{0};
  std::chrono::milliseconds slow{0};

  static void describe(policy::Schema<FakeSettings>& schema) {
    schema.key("at", &FakeSettings::at, "the hook").per_domain();
    schema.key("act", &FakeSettings::act, "what it does there").per_domain();
    schema.key("text", &FakeSettings::text, "what it says").per_domain();
    schema.key("wait", &FakeSettings::wait, "how long it thinks");
    schema.key("slow", &FakeSettings::slow, "how long the reply waits");
  }
};

inline Verdict act(const FakeSettings& settings) {
  switch (settings.act) {
    case Act::next:
      break;
    case Act::accept:
    case Act::accept_too:
      return Verdict::accept();
    case Act::reject:
      return Verdict::reject({5, 7, 1}, settings.text);
    case Act::defer:
      return Verdict::defer({4, 7, 1}, settings.text);
    case Act::vouch:
      return Verdict::next().vouch(settings.text);
    case Act::fail:
      return Verdict::failed(Errc::servfail);
    case Act::raise:
      throw std::runtime_error("raised");
    case Act::nonsense:
      return Verdict::reject({4, 7, 1}, settings.text);
    case Act::flood:
      return Verdict::reject({5, 7, 1}, std::string(64 << 20, 'x'));
    case Act::hold:
      return Verdict::hold(settings.text);
    case Act::drop:
      return Verdict::drop(settings.text);
  }
  return Verdict::next();
}

inline constexpr Hook dialogue_hooks[] = {Hook::connect, Hook::helo,    Hook::mail,   Hook::rcpt,
                                          Hook::data,    Hook::headers, Hook::message};

// Decides at once.
class Fake final : public PluginOf<Fake> {
 public:
  using Settings = FakeSettings;
  static void describe(policy::Schema<Settings>& schema) { Settings::describe(schema); }
  void setup(Hooks& hooks) override {
    for (const Hook hook : dialogue_hooks) hooks.on(hook, this, &Fake::decide);
  }

 private:
  Verdict decide(Step& step) {
    const Settings& mine = settings(step);
    if (mine.at != name(step.hook)) return Verdict::next();
    if (mine.slow.count() > 0) step.session->slow_down(mine.slow);
    return act(mine);
  }
};

// Decides after `wait`.
class Thinker final : public PluginOf<Thinker> {
 public:
  using Settings = FakeSettings;
  static void describe(policy::Schema<Settings>& schema) { Settings::describe(schema); }
  void setup(Hooks& hooks) override {
    for (const Hook hook : dialogue_hooks) hooks.on(hook, this, &Thinker::decide);
  }

 private:
  Task<Verdict> decide(Step& step) {
    const Settings mine = settings(step);
    if (mine.at != name(step.hook)) co_return Verdict::next();
    auto slept = co_await coro::sleep(mine.wait);
    if (!slept) co_return Verdict::failed(slept.error());
    co_return act(mine);
  }
};

}  // namespace postern::plugins
