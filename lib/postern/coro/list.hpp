// Intrusive circular list: linking and unlinking cost no allocation and need no search.
#pragma once

#include <cassert>

namespace postern::coro {

// A place in one list. `Tag` lets an object stand in several lists at once.
template <typename Tag>
class ListHook {
 public:
  ListHook() = default;
  ListHook(const ListHook&) = delete;
  ListHook& operator=(const ListHook&) = delete;
  ~ListHook() { unlink(); }

  bool linked() const { return next_ != this; }
  void unlink() {
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = this;
  }

 private:
  template <typename, typename>
  friend class List;
  ListHook* next_ = this;
  ListHook* previous_ = this;
};

// A list of T, which derives from ListHook<Tag>. It owns nothing.
template <typename T, typename Tag>
class List {
 public:
  bool empty() const { return !head_.linked(); }
  void push_back(T& element) {
    ListHook<Tag>& hook = element;
    assert(!hook.linked());
    hook.previous_ = head_.previous_;
    hook.next_ = &head_;
    head_.previous_->next_ = &hook;
    head_.previous_ = &hook;
  }
  T& front() { return static_cast<T&>(*head_.next_); }
  T& pop_front() {
    T& element = front();
    static_cast<ListHook<Tag>&>(element).unlink();
    return element;
  }
  // Takes all of `other` behind its own.
  void append(List& other) {
    if (other.empty()) return;
    ListHook<Tag>* first = other.head_.next_;
    other.head_.unlink();
    // `first` now heads a ring without a head of its own.
    ListHook<Tag>* last = first->previous_;
    first->previous_ = head_.previous_;
    head_.previous_->next_ = first;
    last->next_ = &head_;
    head_.previous_ = last;
  }
  // `visit` may unlink the element it is given, and no other.
  template <typename Visit>
  void each(Visit&& visit) {
    for (ListHook<Tag>* hook = head_.next_; hook != &head_;) {
      ListHook<Tag>* next = hook->next_;
      visit(static_cast<T&>(*hook));
      hook = next;
    }
  }
  template <typename Visit>
  void each(Visit&& visit) const {
    for (const ListHook<Tag>* hook = head_.next_; hook != &head_; hook = hook->next_)
      visit(static_cast<const T&>(*hook));
  }

 private:
  ListHook<Tag> head_;
};

}  // namespace postern::coro
