// Children that are started together and waited for together.
//
//   Group<Answer> lookups;
//   lookups.add(look_up(resolver, name));
//   auto keep = [&](Answer answer) { … };
//   const auto outcome = co_await lookups.each(keep);
#pragma once

#include <postern/coro/task.hpp>

#include <deque>
#include <type_traits>

namespace postern::coro {

template <typename T>
class Group {
 public:
  Group() = default;
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  // Only keeps the task: it starts in each().
  void add(Task<T> task) { children_.emplace_back(*this, std::move(task)); }

  // Starts all and gives each result to `keep`, in the order in which they finish. Returns when
  // every child's frame is gone, never from inside a child; `keep` (a named object) is not called
  // from inside one either. Errors: why the caller was stopped, cancelled or timed_out (what the
  // children returned then was kept all the same). When a child or `keep` throws, the others are
  // stopped and joined first.
  template <typename Keep>
  Task<Result<void>> each(Keep& keep) {
    Context* caller = co_await current_context();
    Context context(*caller);
    scheduler_ = &context.scheduler();
    std::exception_ptr error;
    for (Child& child : children_) {
      if (error) break;
      ++running_;
      if (child.task.start(context, child)) take(child, keep, context, error);
    }
    while (running_ > 0) {
      co_await Finished(*this);
      while (Child* child = pop_finished()) take(*child, keep, context, error);
    }
    children_.clear();
    if (error) std::rethrow_exception(error);
    if (caller->stopped()) co_return fail(caller->why());
    co_return Result<void>();
  }

  // The same for children whose results nobody wants.
  Task<Result<void>> join() {
    auto ignore = [](const auto&...) {};
    auto joined = co_await each(ignore);
    co_return joined;
  }

 private:
  struct Child final : Completion {
    Child(Group& owner, Task<T> child_task) : group(owner), task(std::move(child_task)) {}
    void finished() noexcept override { group.note_finished(*this); }
    Group& group;
    Task<T> task;
    Child* next = nullptr;
  };

  // Waits for at least one finished child; not cancelled: the children are.
  class Finished final : public Job {
   public:
    explicit Finished(Group& group) : group_(group) {}
    bool await_ready() const noexcept { return group_.first_ != nullptr; }
    void await_suspend(std::coroutine_handle<> handle) {
      handle_ = handle;
      group_.waiter_ = this;
    }
    void await_resume() const noexcept {}
    void run() override { handle_.resume(); }

   private:
    Group& group_;
    std::coroutine_handle<> handle_;
  };

  void note_finished(Child& child) {
    (last_ ? last_->next : first_) = &child;
    last_ = &child;
    if (waiter_) scheduler_->post(*std::exchange(waiter_, nullptr));
  }
  Child* pop_finished() {
    Child* child = first_;
    if (child) first_ = child->next;
    if (!first_) last_ = nullptr;
    return child;
  }
  template <typename Keep>
  void take(Child& child, Keep& keep, Context& context, std::exception_ptr& error) {
    --running_;
    try {
      if constexpr (std::is_void_v<T>) {
        child.task.await_resume();
        keep();
      } else {
        keep(child.task.await_resume());
      }
    } catch (...) {
      if (!error) error = std::current_exception();
      context.stop(Errc::cancelled);
    }
  }

  std::deque<Child> children_;
  Scheduler* scheduler_ = nullptr;
  std::size_t running_ = 0;
  Child* first_ = nullptr;
  Child* last_ = nullptr;
  Finished* waiter_ = nullptr;
};

}  // namespace postern::coro
