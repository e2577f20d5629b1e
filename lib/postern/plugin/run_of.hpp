// Runs by what their task returns.
#pragma once

#include <postern/plugin/run.hpp>

#include <type_traits>
#include <utility>

namespace postern::plugin {

template <typename T>
inline constexpr bool is_optional = false;
template <typename A>
inline constexpr bool is_optional<std::optional<A>> = true;
template <typename T>
inline constexpr bool is_result = false;
template <typename F>
inline constexpr bool is_result<Result<F>> = true;

template <typename F>
std::unique_ptr<FactNode> make_node(F fact) {
  struct Node final : FactNode {
    explicit Node(F&& f) : FactNode(fact_type<F>, &fact), fact(std::move(f)) {}
    F fact;
  };
  return std::make_unique<Node>(std::move(fact));
}

template <typename T>
class TaskRun final : public Run {
 public:
  TaskRun(const Entry& entry, HookScope& scope, coro::Task<T> task)
      : Run(entry, scope), task_(std::move(task)) {}

 private:
  bool start_task(coro::Context& context, coro::Completion& completion) override {
    return task_->start(context, completion);
  }
  void take() override {
    coro::Task<T> task = std::move(*task_);
    task_.reset();
    if constexpr (std::is_void_v<T>) {
      task.await_resume();
    } else if constexpr (std::is_same_v<T, Verdict>) {
      settle_verdict(task.await_resume());
    } else if constexpr (is_optional<T>) {
      given_ = task.await_resume();
      if (given_) settle_answer(&*given_);
    } else if constexpr (is_result<T>) {
      auto result = task.await_resume();
      if (result)
        settle_fact(make_node(std::move(*result)));
      else
        settle_error(std::move(result.error()));
    } else {
      settle_fact(make_node(task.await_resume()));
    }
  }
  void drop() override { task_.reset(); }

  using Given = std::conditional_t<is_optional<T>, T, bool>;

  std::optional<coro::Task<T>> task_;
  Given given_{};  // what an answer came to
};

// A finding that is made at once.
template <typename F>
class ValueRun final : public Run {
 public:
  ValueRun(const Entry& entry, HookScope& scope, F fact)
      : Run(entry, scope), fact_value_(std::move(fact)) {}

 private:
  bool start_task(coro::Context&, coro::Completion&) override { return true; }
  void take() override {
    if constexpr (is_result<F>) {
      if (fact_value_)
        settle_fact(make_node(std::move(*fact_value_)));
      else
        settle_error(std::move(fact_value_.error()));
    } else {
      settle_fact(make_node(std::move(fact_value_)));
    }
  }
  void drop() override {}
  F fact_value_;
};

// A verdict kept until it takes effect.
class KeptRun final : public Run {
 public:
  using Run::Run;

 private:
  bool start_task(coro::Context&, coro::Completion&) override { return true; }
  void take() override {}
  void drop() override {}
};

}  // namespace postern::plugin
