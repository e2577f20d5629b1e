// A number of places, handed out in the order in which tasks asked: the cap on downstream
// connections.
#pragma once

#include <postern/coro/wait.hpp>

#include <utility>

namespace postern::coro {

class Slots;

// One place; given back when it goes.
class Slot {
 public:
  Slot() = default;
  explicit Slot(Slots& slots) : slots_(&slots) {}
  Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
  Slot& operator=(Slot&& other) noexcept;
  ~Slot() { release(); }
  void release();
  explicit operator bool() const { return slots_ != nullptr; }

 private:
  Slots* slots_ = nullptr;
};

class Slots {
 public:
  explicit Slots(std::size_t count) : free_(count) {}

  class Waiter final : public Wait {
   public:
    Waiter(Slots& slots, Duration limit) : Wait("slot", limit), slots_(slots) {}
    // Errors: cancelled, timed_out.
    Result<Slot> await_resume();

   private:
    friend class Slots;
    bool begin() override;
    Slots& slots_;
    Slot slot_;
  };

  Waiter acquire(Duration limit = forever) { return Waiter(*this, limit); }
  std::size_t free() const { return free_; }
  bool awaited() const { return !waiters_.empty(); }

 private:
  friend class Slot;
  void give_back();

  std::size_t free_;
  List<Waiter, QueueTag> waiters_;
};

}  // namespace postern::coro
