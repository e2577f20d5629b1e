// Scopes: client ⊃ hello ⊃ transaction ⊃ recipient; and the worker, which all of them outlive not.
//
// The tasks, findings and facts of a hook belong to its scope and end with it: asked to stop, and
// gone when the last has unwound. The dialogue does not wait for that; only closing does.
#pragma once

#include <postern/coro/event.hpp>
#include <postern/coro/pooled.hpp>
#include <postern/coro/task.hpp>
#include <postern/plugin/fact.hpp>
#include <postern/plugin/hook.hpp>
#include <postern/policy/policy.hpp>

#include <memory>
#include <optional>
#include <string_view>

namespace postern::plugin {

class HookScope;
class Lineup;
class Run;

// One fact where it is kept.
struct FactNode : coro::Pooled {
  FactNode(const FactType& fact_type, const void* fact) : type(fact_type), value(fact) {}
  FactNode(const FactNode&) = delete;
  FactNode& operator=(const FactNode&) = delete;
  virtual ~FactNode() = default;

  const FactType& type;
  const void* value;
  std::string_view owner;  // the instance that put it, by where its name stands
  FactNode* next = nullptr;
};

// What is known in a scope and in those around it.
class Facts {
 public:
  explicit Facts(HookScope& scope) : scope_(&scope) {}

  // This instance's own, else one that any instance has put; null: there is none (yet).
  template <AFact F>
  const F* find() const {
    return static_cast<const F*>(look(fact_type<F>));
  }
  // Once per scope and instance: what was put first stays. Returns what is kept.
  template <AFact F>
  const F& put(F fact) {
    struct Node final : FactNode {
      explicit Node(F&& f) : FactNode(fact_type<F>, &fact), fact(std::move(f)) {}
      F fact;
    };
    return *static_cast<const F*>(keep(std::make_unique<Node>(std::move(fact))));
  }
  // A private fact of this instance that changes: a counter. Made when it is first asked for.
  template <AFact F>
  F& mine() {
    static_assert(F::fact_name.view().empty(), "what others may see does not change");
    if (const void* kept = look(fact_type<F>)) return *const_cast<F*>(static_cast<const F*>(kept));
    return const_cast<F&>(put(F{}));
  }
  // Waits for whoever makes it; null as soon as nobody can put it any more. Only a fact that
  // setup() declared with needs<F>() or wants<F>(); anything else throws std::logic_error.
  template <AFact F>
  coro::Task<const F*> await() {
    return cast<F>(wait_for(*scope_, &fact_type<F>));
  }

 private:
  friend class Run;
  template <AFact F>
  static coro::Task<const F*> cast(coro::Task<const void*> found) {
    const void* fact = co_await std::move(found);
    co_return static_cast<const F*>(fact);
  }
  static coro::Task<const void*> wait_for(HookScope& scope, const FactType* type);
  const void* look(const FactType& type) const;
  const void* keep(std::unique_ptr<FactNode> node);

  HookScope* scope_;
};

class HookScope : public coro::Pooled {
 public:
  HookScope(const HookScope&) = delete;
  HookScope& operator=(const HookScope&) = delete;

  Facts facts() { return Facts(*this); }
  Facts facts() const { return Facts(const_cast<HookScope&>(*this)); }
  // The settings that hold here: the site's, a domain's, a recipient's.
  const policy::Policy& policy() const { return *policy_; }
  coro::Scheduler& scheduler() const { return context_.scheduler(); }

  // ---- For whoever runs the hooks ----
  ScopeKind kind() const { return kind_; }
  HookScope* outer() const { return outer_; }
  Lineup& lineup() const { return *lineup_; }
  coro::Context& context() { return context_; }
  void set_policy(const policy::Policy& policy) { policy_ = &policy; }
  // Tasks of this scope and of those within it that have not unwound.
  std::size_t tasks() const { return tasks_; }
  // Ends it: its tasks are asked to stop; it is freed when the last has unwound.
  static void end(std::unique_ptr<HookScope> scope);
  // The run of `entry` in this very scope; null: not begun.
  Run* find_run(const struct Entry& entry) const;
  template <typename Visit>
  void each_fact(Visit&& visit) const {
    for (const FactNode* node = facts_; node; node = node->next) visit(*node);
  }
  template <typename Visit>
  void each_run(Visit&& visit) const;
  // Waits until tasks() is 0, at most `limit`.
  coro::Task<Result<void>> join(coro::Duration limit);
  virtual ~HookScope();

 protected:
  HookScope(ScopeKind kind, Lineup& lineup, coro::Context& around, HookScope* outer,
            const policy::Policy& policy)
      : context_(around), lineup_(&lineup), outer_(outer), policy_(&policy), kind_(kind) {}
  // One that nothing is around: the worker's.
  HookScope(ScopeKind kind, Lineup& lineup, coro::Scheduler& scheduler,
            const policy::Policy& policy)
      : context_(scheduler, "worker"),
        lineup_(&lineup),
        outer_(nullptr),
        policy_(&policy),
        kind_(kind) {}

 private:
  friend class Facts;
  friend class Run;
  void task_began();
  static void task_ended(HookScope& scope);  // may free it
  void forget(Run& run);

  coro::Context context_;
  Lineup* lineup_;
  HookScope* outer_;
  const policy::Policy* policy_;
  FactNode* facts_ = nullptr;
  Run* runs_ = nullptr;
  coro::Event* idle_ = nullptr;
  std::uint32_t tasks_ = 0;
  ScopeKind kind_;
  bool ended_ = false;
};

}  // namespace postern::plugin
