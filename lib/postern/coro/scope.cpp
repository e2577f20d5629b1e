#include <postern/coro/scope.hpp>

#include <memory>

namespace postern::coro {

// Owns one task. Told of its end from inside the task's last step, it is reaped in a later turn.
class Scope::Child final : public Completion, public Job {
 public:
  Child(Scope& owner, Task<void> running_task) : scope(owner), task(std::move(running_task)) {}
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* child, std::size_t size) { free_frame(child, size); }

  void finished() noexcept override { scope.context_.scheduler().post(*this); }
  void run() override { scope.reap(*this); }

  Scope& scope;
  Task<void> task;
};

void Scope::start(Task<void> task, Context& context) {
  auto* child = new Child(*this, std::move(task));
  ++running_;
  if (child->task.start(context, *child)) reap(*child);
}

void Scope::reap(Child& child) {
  try {
    child.task.await_resume();
  } catch (...) {
    if (!error_) error_ = std::current_exception();
  }
  delete &child;
  --running_;
  if (running_ == 0 && join_) context_.scheduler().post(*std::exchange(join_, nullptr));
}

}  // namespace postern::coro
