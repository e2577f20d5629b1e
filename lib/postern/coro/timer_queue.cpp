#include <postern/coro/timer_queue.hpp>

#include <cassert>

namespace postern::coro {

bool TimerQueue::before(const Timer& a, const Timer& b) {
  return a.due_ != b.due_ ? a.due_ < b.due_ : a.sequence_ < b.sequence_;
}

void TimerQueue::put(std::size_t place, Timer& timer) {
  heap_[place] = &timer;
  timer.place_ = static_cast<std::uint32_t>(place);
}

void TimerQueue::insert(Timer& timer, TimePoint due) {
  assert(!timer.armed());
  timer.due_ = due;
  timer.sequence_ = ++sequence_;
  heap_.push_back(&timer);
  timer.place_ = static_cast<std::uint32_t>(heap_.size() - 1);
  sift_up(heap_.size() - 1);
}

void TimerQueue::remove(Timer& timer) {
  if (!timer.armed()) return;
  const std::size_t place = timer.place_;
  Timer& last = *heap_.back();
  heap_.pop_back();
  timer.place_ = Timer::nowhere;
  if (&last == &timer) return;
  put(place, last);
  sift_up(place);
  sift_down(last.place_);
}

void TimerQueue::sift_up(std::size_t place) {
  Timer& timer = *heap_[place];
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (!before(timer, *heap_[parent])) break;
    put(place, *heap_[parent]);
    place = parent;
  }
  put(place, timer);
}

void TimerQueue::sift_down(std::size_t place) {
  Timer& timer = *heap_[place];
  while (true) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child])) ++child;
    if (!before(*heap_[child], timer)) break;
    put(place, *heap_[child]);
    place = child;
  }
  put(place, timer);
}

}  // namespace postern::coro
