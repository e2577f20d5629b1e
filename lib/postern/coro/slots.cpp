#include <postern/coro/slots.hpp>

namespace postern::coro {

Slot& Slot::operator=(Slot&& other) noexcept {
  if (this != &other) {
    release();
    slots_ = std::exchange(other.slots_, nullptr);
  }
  return *this;
}

void Slot::release() {
  if (Slots* slots = std::exchange(slots_, nullptr)) slots->give_back();
}

bool Slots::Waiter::begin() {
  if (slots_.free_ == 0) {
    slots_.waiters_.push_back(*this);
    return true;
  }
  --slots_.free_;
  slot_ = Slot(slots_);
  return false;
}

Result<Slot> Slots::Waiter::await_resume() {
  if (stopped()) return stop_error();
  return std::move(slot_);
}

void Slots::give_back() {
  if (waiters_.empty()) {
    ++free_;
    return;
  }
  Waiter& next = waiters_.pop_front();
  next.slot_ = Slot(*this);
  next.resume_soon();
}

}  // namespace postern::coro
