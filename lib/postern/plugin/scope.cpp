#include <postern/plugin/lineup.hpp>
#include <postern/plugin/scope.hpp>
#include <postern/plugin/views.hpp>

#include <fmt/core.h>

#include <cassert>
#include <stdexcept>

namespace postern::plugin {
namespace {

bool makes(const Entry& entry, const FactType& type) {
  if (entry.finding && entry.finding->id == type.id) return true;
  for (const FactType* made : entry.makes)
    if (made->id == type.id) return true;
  return false;
}

// Whoever is still at it, in `scope` or around it.
Run* maker_at_work(HookScope& scope, const FactType& type) {
  Run* found = nullptr;
  for (HookScope* s = &scope; s && !found; s = s->outer())
    s->each_run([&](Run& run) {
      if (!run.settled() && makes(run.entry(), type)) found = &run;
    });
  return found;
}

// Begins a finding that waited for somebody to ask for it. Null: there is none here.
Run* begin_on_demand(HookScope& scope, const FactType& type) {
  for (const Entry* entry : scope.lineup().makers(type)) {
    if (!entry->on_demand) continue;
    HookScope* home = &scope;
    while (home && home->kind() != entry->scope) home = home->outer();
    if (!home || home->find_run(*entry)) continue;
    Step step = step_from(scope, entry->hook);
    return &Run::begin(entry->begin(*entry, step, *home));
  }
  return nullptr;
}

}  // namespace

const void* Facts::look(const FactType& type) const {
  const char* owner = scope_->scheduler().running().data();
  for (const HookScope* scope = scope_; scope; scope = scope->outer()) {
    const FactNode* other = nullptr;
    for (const FactNode* node = scope->facts_; node; node = node->next) {
      if (node->type.id != type.id) continue;
      if (node->owner.data() == owner) return node->value;
      if (!type.name.empty() && !other) other = node;
    }
    if (other) return other->value;
  }
  return nullptr;
}

const void* Facts::keep(std::unique_ptr<FactNode> node) {
  if (node->owner.empty()) node->owner = scope_->scheduler().running();
  FactNode** place = &scope_->facts_;
  for (; *place; place = &(*place)->next)
    if ((*place)->type.id == node->type.id && (*place)->owner.data() == node->owner.data())
      return (*place)->value;
  *place = node.release();
  return (*place)->value;
}

coro::Task<const void*> Facts::wait_for(HookScope& scope, const FactType* type) {
  Facts facts(scope);
  if (!scope.lineup().may_await(scope.scheduler().running(), *type))
    throw std::logic_error(
        fmt::format("awaits the fact {} without needs<> or wants<> in setup()", type->name));
  while (true) {
    const void* fact = facts.look(*type);
    if (fact) co_return fact;
    Run* maker = maker_at_work(scope, *type);
    if (!maker) maker = begin_on_demand(scope, *type);
    if (!maker) co_return nullptr;
    if (maker->settled()) continue;
    auto settled = co_await maker->wait();
    if (!settled) co_return nullptr;
  }
}

Run* HookScope::find_run(const Entry& entry) const {
  Run* found = nullptr;
  each_run([&](Run& run) {
    if (&run.entry() == &entry) found = &run;
  });
  return found;
}

HookScope::~HookScope() {
  assert(tasks_ == 0 && "a scope goes before its tasks");
  while (runs_) delete std::exchange(runs_, runs_->next_);
  while (facts_) delete std::exchange(facts_, facts_->next);
}

void HookScope::end(std::unique_ptr<HookScope> scope) {
  scope->ended_ = true;
  // A task that unwinds at once must not free it under our hands.
  ++scope->tasks_;
  scope->context_.stop(Errc::cancelled);
  scope->lineup().drop_queued(*scope);
  if (--scope->tasks_ > 0) scope.release();
}

void HookScope::task_began() {
  for (HookScope* scope = this; scope; scope = scope->outer_) ++scope->tasks_;
}

// What outlives the clients is many: a run of the worker's scope goes when it has unwound.
void HookScope::forget(Run& run) {
  Run** place = &runs_;
  while (*place && *place != &run) place = &(*place)->next_;
  if (*place) *place = run.next_;
  delete &run;
}

void HookScope::task_ended(HookScope& ended) {
  for (HookScope* scope = &ended; scope;) {
    HookScope* outer = scope->outer_;
    if (--scope->tasks_ == 0) {
      if (scope->idle_) scope->idle_->set();
      if (scope->ended_) delete scope;
    }
    scope = outer;
  }
}

coro::Task<Result<void>> HookScope::join(coro::Duration limit) {
  Result<void> joined;
  coro::Event idle;
  idle_ = &idle;
  if (tasks_ > 0) joined = co_await idle.wait(limit);
  idle_ = nullptr;
  co_return joined;
}

}  // namespace postern::plugin
