// What every task carries: its scheduler, its deadline, its label, and the way to stop it.
#pragma once

#include <postern/base/result.hpp>
#include <postern/coro/scheduler.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace postern::coro {

// Whoever wants to hear of a stop. A wait posts its resumption, a context passes it on to its own.
class StopNode : public Job, public ListHook<struct StopTag> {
 public:
  // Never resumes a task from inside: it unlinks itself from what it waits for and posts.
  virtual void on_stop(Errc why) noexcept = 0;
  virtual void describe(std::string& out) const = 0;  // one line per wait, for diagnostics

 protected:
  ~StopNode() = default;
};

// Single-threaded, no atomics, no allocation. The promise of each task points to one; a task's
// children get the same, or one under it (`within`, Group).
class Context final : private StopNode {
 public:
  // A root. `label` (who this is: a session's id) must outlive the context.
  Context(Scheduler& scheduler, std::string_view label);
  // Under `parent`: stopped with it, and with no more time than it has.
  explicit Context(Context& parent);
  // The same with a label of its own, which must outlive the context and the turn that ends it.
  Context(Context& parent, std::string_view label) : Context(parent) { label_ = label; }
  // Beside `parent`: same scheduler and label, but neither its stop nor its deadline.
  struct Shielded {};
  Context(Context& parent, Shielded) : Context(parent.scheduler_, parent.label_) {
    owns_label_ = false;
  }
  ~Context();

  Scheduler& scheduler() const { return scheduler_; }
  std::string_view label() const { return label_; }
  TimePoint deadline() const { return deadline_; }
  void tighten(TimePoint deadline) {
    if (deadline < deadline_) deadline_ = deadline;
  }

  // Asks all that waits under this context to unwind. `why` is what the waits return: cancelled or
  // timed_out. The first reason stays.
  void stop(Errc why) noexcept;
  bool stopped() const { return why_.has_value(); }
  Errc why() const { return why_.value_or(Errc::cancelled); }

  void link(StopNode& node) { waits_.push_back(node); }
  // One line per suspended wait: "LABEL: what it waits for".
  void describe_waits(std::string& out) const;

 private:
  void run() override {}
  void on_stop(Errc why) noexcept override { stop(why); }
  void describe(std::string& out) const override { describe_waits(out); }

  Scheduler& scheduler_;
  std::string_view label_;
  TimePoint deadline_ = TimePoint::max();
  std::optional<Errc> why_;
  bool owns_label_ = false;  // a root: the label may go when it goes
  List<StopNode, StopTag> waits_;
};

}  // namespace postern::coro
