// Answers that hold for a while, at most so many: when there are more, the oldest go first.
#pragma once

#include <postern/plugin.hpp>

#include <list>
#include <unordered_map>
#include <utility>

namespace postern::plugins {

template <typename Key, typename Value>
class TimedCache {
 public:
  explicit TimedCache(std::size_t most) : most_(most) {}

  // Valid until the next put(); nullptr: it is not known, or not any more.
  const Value* find(const Key& key, coro::TimePoint now) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    if (found->second->until > now) return &found->second->value;
    entries_.erase(found->second);
    by_key_.erase(found);
    return nullptr;
  }

  void put(const Key& key, Value value, coro::TimePoint until) {
    if (const auto found = by_key_.find(key); found != by_key_.end()) {
      entries_.erase(found->second);
      by_key_.erase(found);
    }
    if (entries_.size() >= most_) {
      by_key_.erase(entries_.front().key);
      entries_.pop_front();
    }
    entries_.push_back({key, std::move(value), until});
    by_key_.emplace(key, std::prev(entries_.end()));
  }

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Key key;
    Value value;
    coro::TimePoint until;
  };
  std::size_t most_;
  std::list<Entry> entries_;  // the oldest first
  std::unordered_map<Key, typename std::list<Entry>::iterator> by_key_;
};

}  // namespace postern::plugins
