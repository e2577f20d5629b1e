// Forms of co_await that compilers get wrong, and those that the house rule allows. Built and run
// by canary.py, never linked with the library: `canary NAME` runs one form. Exit status 0: right;
// 1: an object was destroyed twice or never, or the body did not run.
//
// The task is the library's in miniature: a child is started inline by a `bool await_suspend`.
#include <coroutine>
#include <cstdio>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>

int alive = 0;
int wrong = 0;

// Notices when it is destroyed twice or where it was never made.
struct Tracked {
  Tracked() : self(this) { ++alive; }
  Tracked(const Tracked& other) : self(this) { note(other), ++alive; }
  Tracked(Tracked&& other) noexcept : self(this) { note(other), ++alive; }
  Tracked& operator=(const Tracked&) = default;
  ~Tracked() {
    note(*this);
    self = nullptr;
    --alive;
  }
  static void note(const Tracked& object) {
    if (object.self != &object) ++wrong;
  }
  const Tracked* volatile self;
};

template <typename T>
struct Task {
  struct promise_type {
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void unhandled_exception() { error = std::current_exception(); }
    template <typename U>
    void return_value(U&& v) {
      value.emplace(std::forward<U>(v));
    }
    std::optional<T> value;
    std::exception_ptr error;
  };
  explicit Task(std::coroutine_handle<promise_type> h) : handle(h) {}
  Task(Task&& other) noexcept : handle(std::exchange(other.handle, {})) {}
  ~Task() {
    if (handle) handle.destroy();
  }
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<>) {
    handle.resume();
    if (handle.done()) return false;
    std::puts("suspended");
    return true;
  }
  T await_resume() {
    if (handle.promise().error) std::rethrow_exception(handle.promise().error);
    return std::move(*handle.promise().value);
  }
  std::coroutine_handle<promise_type> handle;
};

struct Aggregate {
  Tracked member;
  int number = 1;
};
struct Plain {
  int one;
  int two;
};
struct Class {
  Class(Tracked t, int n) : member(std::move(t)), number(n) {}
  Tracked member;
  int number;
};

Task<int> one() { co_return 1; }
Task<bool> yes() { co_return true; }
Task<bool> no() { co_return false; }
Task<Tracked> tracked() { co_return Tracked(); }
Task<int> ask(Aggregate a) { co_return a.number; }
Task<int> ask_plain(Plain p) { co_return p.one + p.two; }
Task<int> ask_class(Class c) { co_return c.number; }
Task<int> ask_tracked(Tracked) { co_return 1; }
Task<int> ask_two(Tracked, Tracked) { co_return 1; }
template <typename Function>
Task<int> ask_function(Function f) {
  co_return f();
}
Task<int> around(Task<int> inner) {
  int value = co_await inner;
  co_return value;
}
Tracked make(int) { return {}; }
Task<int> throws() {
  throw 7;
  co_return 0;
}

struct AggregateAwaiter {
  Tracked member;
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) {}
  int await_resume() const { return 1; }
};
struct ClassAwaiter {
  explicit ClassAwaiter(Tracked t) : member(std::move(t)) {}
  ClassAwaiter(const ClassAwaiter&) = delete;
  ClassAwaiter& operator=(const ClassAwaiter&) = delete;
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) {}
  int await_resume() const { return 1; }
  Tracked member;
};

// NOLINTBEGIN(lint-coroutines): these are the forms themselves
struct Members {
  int count = 0;
  Tracked member;
  Task<int> method() { co_return 1; }
  Task<bool> next() { co_return ++count < 3; }
  Task<int> run_if() {
    if (co_await yes()) ++count;
    co_return count;
  }
  Task<int> run_not() {
    if (!co_await no()) ++count;
    co_return count;
  }
  Task<int> run_while() {
    while (co_await next()) continue;
    co_return count == 3 ? 1 : 0;
  }
  Task<int> run_both() {
    if (co_await yes() && co_await yes()) ++count;
    co_return count;
  }
};
struct Base {
  virtual ~Base() = default;
  virtual Task<int> ask(Tracked) = 0;
};
struct Derived final : Base {
  Task<int> ask(Tracked) override { co_return 1; }
};

// --- forms that the house rule forbids

Task<int> forbidden_aggregate_argument() { co_return co_await ask(Aggregate{Tracked(), 1}); }
Task<int> forbidden_designated_argument() { co_return co_await ask({.member = Tracked()}); }
Task<int> forbidden_await_in_aggregate() {
  Aggregate a{Tracked(), co_await one()};
  co_return a.number;
}
Task<Aggregate> return_aggregate() { co_return Aggregate{Tracked(), co_await one()}; }
Task<int> forbidden_return_await_in_aggregate() {
  Aggregate a = co_await return_aggregate();
  co_return a.number;
}
Task<int> forbidden_capturing_lambda() {
  Tracked t;
  co_return co_await ask_function([t] { return 1; });
}
Task<int> forbidden_conditional_argument() {
  Tracked a;
  Tracked b;
  co_return co_await ask_tracked(alive > 1 ? a : Tracked());
}
Task<int> forbidden_conditional_await() {
  Tracked t = alive >= 0 ? co_await tracked() : Tracked();
  co_return 1;
}
Task<int> forbidden_aggregate_awaiter() { co_return co_await AggregateAwaiter{Tracked()}; }
Task<int> forbidden_method_of_aggregate() { co_return co_await Members{}.method(); }
Task<int> forbidden_if() {
  Members m;
  int n = co_await m.run_if();
  co_return n;
}
Task<int> forbidden_not() {
  Members m;
  int n = co_await m.run_not();
  co_return n;
}
Task<int> forbidden_while() {
  Members m;
  int n = co_await m.run_while();
  co_return n;
}
Task<int> forbidden_both() {
  Members m;
  int n = co_await m.run_both();
  co_return n;
}

// --- forms that it allows: these must be right

Task<int> allowed_declaration() {
  const int n = co_await one();
  co_return n;
}
Task<int> allowed_assignment() {
  int n = 0;
  n = co_await one();
  co_return n;
}
Task<int> allowed_statement() {
  co_await tracked();
  co_return 1;
}
Task<int> allowed_return() { co_return co_await one(); }
Task<int> allowed_name_then_if() {
  bool ok = co_await yes();
  if (ok) co_return 1;
  co_return 0;
}
Task<int> allowed_name_then_loop() {
  Members m;
  int turns = 0;
  while (true) {
    bool more = co_await m.next();
    if (!more) break;
    ++turns;
  }
  co_return turns == 2 ? 1 : 0;
}
Task<int> allowed_name() {
  Tracked t;
  int n = co_await ask_tracked(t);
  co_return n;
}
Task<int> allowed_moved_aggregate() {
  Aggregate a{Tracked(), 1};
  int n = co_await ask(std::move(a));
  co_return n;
}
Task<int> allowed_constructor_calls() {
  int n = co_await ask_two(Tracked(), Tracked());
  co_return n;
}
Task<int> allowed_class_argument() {
  int n = co_await ask_class(Class(Tracked(), 1));
  co_return n;
}
Task<int> allowed_call_as_argument() {
  int n = co_await ask_two(make(1), make(2));
  co_return n;
}
Task<int> allowed_task_as_argument() {
  int n = co_await around(ask_tracked(Tracked()));
  co_return n;
}
Task<int> allowed_moved_task() {
  Task<int> task = ask_tracked(Tracked());
  int n = co_await std::move(task);
  co_return n;
}
Task<int> allowed_trivial_aggregate() {
  int n = co_await ask_plain(Plain{0, 1});
  co_return n;
}
Task<int> allowed_named_lambda() {
  Tracked t;
  auto function = [t] { return 1; };
  int n = co_await ask_function(std::move(function));
  co_return n;
}
Task<int> allowed_class_awaiter() {
  int n = co_await ClassAwaiter(Tracked());
  co_return n;
}
Task<int> allowed_result_in_range_for() {
  Tracked list[2];
  int n = 0;
  for (const Tracked& t : list) {
    int got = co_await ask_tracked(t);
    n += got;
  }
  co_return n == 2 ? 1 : 0;
}
Task<int> allowed_try() {
  Tracked t;
  int caught = 0;
  try {
    int n = co_await throws();
    caught = n;
  } catch (int what) {
    caught = what;
  }
  co_return caught == 7 ? 1 : 0;
}
Task<int> allowed_virtual() {
  Derived derived;
  Base& base = derived;
  int n = co_await base.ask(Tracked());
  co_return n;
}

// NOLINTEND(lint-coroutines)

struct Form {
  const char* name;
  Task<int> (*function)();
};
#define FORM(name) \
  { #name, name }
const Form forms[] = {
    FORM(forbidden_aggregate_argument),
    FORM(forbidden_designated_argument),
    FORM(forbidden_await_in_aggregate),
    FORM(forbidden_return_await_in_aggregate),
    FORM(forbidden_capturing_lambda),
    FORM(forbidden_conditional_argument),
    FORM(forbidden_conditional_await),
    FORM(forbidden_aggregate_awaiter),
    FORM(forbidden_method_of_aggregate),
    FORM(forbidden_if),
    FORM(forbidden_not),
    FORM(forbidden_while),
    FORM(forbidden_both),
    FORM(allowed_declaration),
    FORM(allowed_assignment),
    FORM(allowed_statement),
    FORM(allowed_return),
    FORM(allowed_name_then_if),
    FORM(allowed_name_then_loop),
    FORM(allowed_name),
    FORM(allowed_moved_aggregate),
    FORM(allowed_constructor_calls),
    FORM(allowed_class_argument),
    FORM(allowed_call_as_argument),
    FORM(allowed_task_as_argument),
    FORM(allowed_moved_task),
    FORM(allowed_trivial_aggregate),
    FORM(allowed_named_lambda),
    FORM(allowed_class_awaiter),
    FORM(allowed_result_in_range_for),
    FORM(allowed_try),
    FORM(allowed_virtual),
};

bool right(Task<int> (*form)()) {
  int result = 0;
  {
    Task<int> task = form();
    task.handle.resume();
    if (!task.handle.done()) return false;
    result = task.await_resume();
  }
  return result == 1 && alive == 0 && wrong == 0;
}

int main(int argc, char** argv) {
  for (const Form& form : forms) {
    if (argc < 2)
      std::puts(form.name);
    else if (std::strcmp(argv[1], form.name) == 0)
      return right(form.function) ? 0 : 1;
  }
  return argc < 2 ? 0 : 2;
}
