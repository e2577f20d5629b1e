// Answers remembered by name for a time: bounded, the oldest goes first.
#pragma once

#include <postern/coro/scheduler.hpp>

#include <cstddef>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>

namespace postern::deliver {

template <typename Value>
class AnswerCache {
 public:
  explicit AnswerCache(std::size_t most) : most_(most) {}

  // Valid until the next change.
  const Value* find(const std::string& name, coro::TimePoint now) const {
    const auto found = answers_.find(name);
    return found == answers_.end() || found->second.until <= now ? nullptr : &found->second.value;
  }
  void put(const std::string& name, Value value, coro::TimePoint until) {
    const auto [place, is_new] = answers_.insert_or_assign(name, Answer{std::move(value), until});
    if (!is_new) return;
    order_.push_back(name);
    // Of those that erase() took the names are still in the row.
    while (answers_.size() > most_ || order_.size() > 2 * most_) {
      answers_.erase(order_.front());
      order_.pop_front();
    }
  }
  void erase(const std::string& name) { answers_.erase(name); }
  std::size_t size() const { return answers_.size(); }

 private:
  struct Answer {
    Value value;
    coro::TimePoint until;
  };
  std::size_t most_;
  std::unordered_map<std::string, Answer> answers_;
  std::deque<std::string> order_;
};

}  // namespace postern::deliver
