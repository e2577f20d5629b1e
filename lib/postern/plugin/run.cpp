#include <postern/plugin/lineup.hpp>
#include <postern/plugin/run.hpp>

#include <exception>
#include <utility>

namespace postern::plugin {

Run::~Run() = default;

Run& Run::begin(std::unique_ptr<Run> owned) {
  Run& run = *owned.release();
  HookScope& scope = run.scope_;
  run.next_ = std::exchange(scope.runs_, &run);
  scope.task_began();
  const auto limit = scope.policy().of(run.entry_.instance).common.timeout;
  run.began_ = scope.scheduler().now();
  scope.scheduler().arm(run, run.began_ + limit);
  if (scope.lineup().may_start(run)) run.start();
  return run;
}

Run& Run::keep(std::unique_ptr<Run> owned, Verdict verdict) {
  Run& run = *owned.release();
  run.next_ = std::exchange(run.scope_.runs_, &run);
  run.verdict_ = std::move(verdict);
  run.state_ = State::done;
  return run;
}

void Run::start() {
  coro::Scheduler& scheduler = scope_.scheduler();
  context_.emplace(scope_.context(), scope_.lineup().instance_name(entry_.instance));
  state_ = State::running;
  const std::string_view before = scheduler.running();
  scheduler.set_running(context_->label());
  const bool finished_at_once = start_task(*context_, *this);
  scheduler.set_running(before);
  if (finished_at_once) collect();
}

void Run::run() {
  scope_.scheduler().set_running(context_->label());
  collect();
}

void Run::collect() {
  scope_.scheduler().disarm(*this);
  try {
    take();
  } catch (const std::exception& thrown) {
    settle_error(Error(Errc::bug, thrown.what()));
  } catch (...) {
    settle_error(Error(Errc::bug, "threw something"));
  }
  context_.reset();
  settle(error_ ? State::failed : State::done);
  unwind();
}

// A task that is late: whoever waits for its outcome waits no longer.
void Run::fire() {
  settle_error(Error(Errc::timed_out, "it took longer than its timeout"));
  const bool started = state_ == State::running;
  settle(State::failed);
  if (started) return context_->stop(Errc::timed_out);
  abandon();
}

void Run::abandon() {
  scope_.scheduler().disarm(*this);
  coro::ListHook<QueuedTag>::unlink();
  drop();
  if (!error_) settle_error(Error(Errc::cancelled));
  settle(State::failed);
  unwind();
}

void Run::settle(State state) {
  if (settled()) return;
  state_ = state;
  took_ = scope_.scheduler().now() - began_;
  settled_.set();
}

// May free this run, with its scope.
void Run::unwind() {
  HookScope& scope = scope_;
  scope.lineup().ended(*this);
  if (scope.kind() == ScopeKind::worker) {
    if (error_ && error_->code != Errc::cancelled) scope.lineup().complain(*this);
    scope.forget(*this);
  }
  HookScope::task_ended(scope);
}

void Run::settle_fact(std::unique_ptr<FactNode> node) {
  node->owner = scope_.lineup().instance_name(entry_.instance);
  fact_ = scope_.facts().keep(std::move(node));
}

}  // namespace postern::plugin
