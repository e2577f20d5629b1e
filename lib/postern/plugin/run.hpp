// A task of a plugin: queued, under way, or what became of it.
#pragma once

#include <postern/base/chrono.hpp>
#include <postern/coro/event.hpp>
#include <postern/coro/task.hpp>
#include <postern/plugin/entry.hpp>
#include <postern/plugin/scope.hpp>

#include <memory>
#include <optional>

namespace postern::plugin {

// Belongs to its scope from begin() on. When it is late its outcome is `timed_out`, whether the
// task has unwound or not: nobody waits for a plugin longer than its instance's `timeout`.
class Run : public coro::Pooled,
            private coro::Completion,
            private coro::Job,
            private coro::Timer,
            public coro::ListHook<struct QueuedTag> {
 public:
  enum class State : std::uint8_t { queued, running, done, failed };

  Run(const Entry& entry, HookScope& scope) : entry_(entry), scope_(scope) {}
  virtual ~Run();

  // Hands it to its scope and starts it, or queues it behind the instance's `parallel` and serial()
  // ones.
  static Run& begin(std::unique_ptr<Run> run);
  // An outcome that needed no task: a verdict that takes effect later.
  static Run& keep(std::unique_ptr<Run> run, Verdict verdict);

  const Entry& entry() const { return entry_; }
  HookScope& scope() const { return scope_; }
  State state() const { return state_; }
  bool settled() const { return state_ >= State::done; }
  const Error& error() const { return *error_; }                              // of a failed one
  const Verdict* verdict() const { return verdict_ ? &*verdict_ : nullptr; }  // of a decision
  const void* fact() const { return fact_; }      // of a finding that is done
  const void* answer() const { return answer_; }  // of one that has answered; lives as long as this
  coro::Duration took() const { return took_; }
  // Waits until it is settled; errors: cancelled, timed_out of the waiter.
  coro::Event::Waiter wait() { return settled_.wait(); }

 protected:
  virtual bool start_task(coro::Context& context, coro::Completion& completion) = 0;
  virtual void take() = 0;  // the task's result; frees its frame; throws what it threw
  virtual void drop() = 0;  // a task that never started

  void settle_fact(std::unique_ptr<FactNode> node);
  void settle_answer(const void* answer) { answer_ = answer; }
  void settle_verdict(Verdict verdict) { verdict_ = std::move(verdict); }
  void settle_error(Error error) {
    if (!error_) error_ = std::move(error);
  }

 private:
  friend class HookScope;
  friend class Lineup;
  void start();
  void fire() override;  // late
  void finished() noexcept override { scope_.scheduler().post(*this); }
  void run() override;
  void collect();
  void abandon();  // it waits for its turn no longer
  void settle(State state);
  void unwind();

  const Entry& entry_;
  HookScope& scope_;
  Run* next_ = nullptr;  // in its scope
  State state_ = State::queued;
  std::optional<coro::Context> context_;
  coro::TimePoint began_;
  coro::Duration took_{};
  coro::Event settled_;
  std::optional<Verdict> verdict_;
  std::optional<Error> error_;
  const void* fact_ = nullptr;
  const void* answer_ = nullptr;
};

template <typename Visit>
void HookScope::each_run(Visit&& visit) const {
  for (Run* run = runs_; run; run = run->next_) visit(*run);
}

}  // namespace postern::plugin
