// What a task that runs beside the test came to.
#pragma once

#include <postern/coro/scope.hpp>
#include <postern/coro/task.hpp>

#include <optional>

namespace postern::coro {

template <typename T>
struct Outcome {
  Outcome() = default;
  Outcome(const Outcome&) = delete;
  Outcome& operator=(const Outcome&) = delete;

  bool is(Errc code) const { return value && !*value && value->error().code == code; }
  bool ok() const { return value && value->has_value(); }
  std::optional<T> value;
};

template <typename T>
Task<void> keep(Task<T> task, Outcome<T>& outcome) {
  auto value = co_await std::move(task);
  outcome.value.emplace(std::move(value));
}

inline Task<void> join(Scope& scope) { co_await scope.join(); }

}  // namespace postern::coro
