#include <postern/base/log.hpp>
#include <postern/plugin/run_of.hpp>
#include <postern/session/chain.hpp>
#include <postern/session/running.hpp>

#include <algorithm>
#include <memory>

namespace postern::session {
namespace {

using plugin::Entry;
using plugin::Hook;
using plugin::Run;
using plugin::Shape;
using plugin::Verdict;
using policy::Mode;

// The scope of `entry` that the party is in; null: it is in none (yet).
plugin::HookScope* home(const Entry& entry, const Party& party) {
  plugin::HookScope* scope = party.scope;
  while (scope && scope->kind() != entry.scope) scope = scope->outer();
  return scope;
}

const policy::Policy& site_of(const policy::Policy& policy) {
  const policy::Policy* site = &policy;
  while (site->parent()) site = site->parent();
  return *site;
}

}  // namespace

Run* Chain::advance() {
  if (phase_ == Phase::begin) {
    begin_work();
    phase_ = Phase::held;
  }
  if (phase_ == Phase::held) {
    for (Run* run : held_)
      if (!run->settled()) return run;
    phase_ = Phase::chain;
  }
  if (phase_ == Phase::chain) {
    if (Run* run = weigh_all()) return run;
    phase_ = Phase::later;
  }
  if (phase_ == Phase::later) {
    if (!all_out()) begin_put_off();
    phase_ = Phase::over;
  }
  return nullptr;
}

bool Chain::all_out() const {
  return std::all_of(parties_.begin(), parties_.end(), [&](const Party& p) { return is_out(p); });
}

// Off here may be on for a recipient who is not known yet.
bool Chain::is_wanted(const Entry& entry, const Party& party) const {
  if (party.policy().of(entry.instance).common.mode != Mode::off) return true;
  return !party.recipient && lineup_.ever_on(entry.instance);
}

bool Chain::is_due(const Entry& entry, const Party& party) const {
  const policy::Effective& effective = party.policy().of(entry.instance);
  const Hook at = plugin::takes_effect_at(entry, effective.common);
  if (entry.hook == step_.hook || at == step_.hook) return at == step_.hook;
  // What took effect before the recipient was known did so with the site's settings.
  return step_.hook == Hook::rcpt && at < Hook::rcpt &&
         &effective != &site_of(party.policy()).of(entry.instance);
}

// Observers first, wherever they stand: findings may build on what they say (who may relay).
void Chain::begin_work() {
  for (const Entry* entry : lineup_.entries(step_.hook))
    if (entry->shape == Shape::observer) begin_for_all(*entry);
  for (const Entry* entry : lineup_.entries(step_.hook))
    if (entry->shape == Shape::finding && !entry->on_demand) begin_for_all(*entry);
}

void Chain::begin_for_all(const Entry& entry) {
  for (Party& party : parties_) {
    if (!is_wanted(entry, party)) continue;
    if (entry.shape == Shape::observer && !entry.waits)
      observe(entry, party);
    else if (Run* run = begin(entry, party); run && entry.holds)
      held_.push_back(run);
    if (!entry.for_recipient) break;
  }
}

void Chain::observe(const Entry& entry, Party& party) {
  const Running running(session_.scheduler(), lineup_.instance_name(entry.instance));
  session_.open_relay_question(step_.hook == Hook::connect);
  step_.recipient = party.recipient;
  std::optional<Error> error;
  try {
    entry.observe(entry, step_);
  } catch (...) {
    error = thrown();
  }
  session_.open_relay_question(false);
  if (error) weigh_one(entry, party, Verdict::failed(*error), {});
}

Run* Chain::weigh_all() {
  const auto& entries = lineup_.chain(step_.hook);
  for (; entry_ < entries.size(); ++entry_, party_ = 0, called_.reset()) {
    if (all_out()) return nullptr;
    const Entry& entry = *entries[entry_];
    for (; party_ < parties_.size(); ++party_) {
      Party& party = parties_[party_];
      if (is_out(party) || party.policy().of(entry.instance).common.mode == Mode::off) continue;
      if (!is_due(entry, party)) continue;
      if (Run* run = examine(entry, party)) return run;
    }
  }
  return nullptr;
}

// Null: it has been weighed, or there is nothing to weigh.
Run* Chain::examine(const Entry& entry, Party& party) {
  const bool here = entry.hook == step_.hook;
  if (here && entry.shape == Shape::decision && !entry.waits) {
    if (entry.for_recipient || parties_.size() == 1) {
      weigh_one(entry, party, call(entry, party), {});
    } else {
      if (!called_) called_ = call(entry, party);
      weigh_one(entry, party, *called_, {});
    }
    return nullptr;
  }
  Run* run = find(entry, party);
  if (!run && here) run = begin(entry, party);
  if (!run) return nullptr;
  if (!run->settled()) return run;
  weigh_one(entry, party, outcome(*run, party), run->took());
  return nullptr;
}

// What a run that is over comes to for this party.
Verdict Chain::outcome(const Run& run, const Party& party) const {
  const Entry& entry = run.entry();
  if (run.state() == Run::State::failed) return Verdict::failed(run.error());
  if (run.verdict()) return *run.verdict();
  const Running running(session_.scheduler(), lineup_.instance_name(entry.instance));
  try {
    return entry.judge(entry, run.fact(), party.policy().of(entry.instance).settings);
  } catch (...) {
    return Verdict::failed(thrown());
  }
}

Verdict Chain::call(const Entry& entry, Party& party) {
  const Running running(session_.scheduler(), lineup_.instance_name(entry.instance));
  step_.recipient = party.recipient;
  const auto decide = [&]() -> Verdict {
    try {
      return entry.decide(entry, step_);
    } catch (...) {
      return Verdict::failed(thrown());
    }
  };
  Verdict verdict = decide();
  // Somebody's own settings may weigh it again.
  if (!party.recipient && step_.hook < Hook::rcpt && lineup_.overridden(entry.instance)) {
    plugin::HookScope* scope = home(entry, party);
    if (scope && !scope->find_run(entry))
      Run::keep(std::make_unique<plugin::KeptRun>(entry, *scope), verdict);
  }
  return verdict;
}

Run* Chain::begin(const Entry& entry, Party& party) {
  plugin::HookScope* scope = home(entry, party);
  if (!scope) return nullptr;
  if (Run* run = scope->find_run(entry)) return run;
  const Running running(session_.scheduler(), lineup_.instance_name(entry.instance));
  step_.recipient = party.recipient;
  try {
    return &Run::begin(entry.begin(entry, step_, *scope));
  } catch (...) {
    return &Run::keep(std::make_unique<plugin::KeptRun>(entry, *scope), Verdict::failed(thrown()));
  }
}

Run* Chain::find(const Entry& entry, const Party& party) const {
  const plugin::HookScope* scope = home(entry, party);
  return scope ? scope->find_run(entry) : nullptr;
}

// Decisions of this hook that take effect later, for somebody.
void Chain::begin_put_off() {
  for (const Entry* entry : lineup_.entries(step_.hook)) {
    if (entry->shape != Shape::decision || step_.hook > Hook::message) continue;
    for (Party& party : parties_) {
      if (is_out(party) || !is_wanted(*entry, party)) continue;
      const bool off = party.policy().of(entry->instance).common.mode == Mode::off;
      if (!off && is_due(*entry, party)) continue;
      put_off(*entry, party);
    }
  }
}

void Chain::put_off(const Entry& entry, Party& party) {
  plugin::HookScope* scope = home(entry, party);
  if (!scope || scope->find_run(entry)) return;
  if (entry.waits) {
    begin(entry, party);
    return;
  }
  Verdict verdict = call(entry, party);
  if (!scope->find_run(entry))
    Run::keep(std::make_unique<plugin::KeptRun>(entry, *scope), std::move(verdict));
}

void Chain::weigh_one(const Entry& entry, Party& party, const Verdict& verdict,
                      coro::Duration took) {
  weigh(party, session_, step_.transaction, entry, step_.hook, verdict, took);
}

}  // namespace postern::session
