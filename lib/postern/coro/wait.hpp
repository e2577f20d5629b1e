// The base of everything a task can wait for: it can be stopped, and it can have a time limit.
#pragma once

#include <postern/coro/context.hpp>

#include <coroutine>
#include <optional>

namespace postern::coro {

// An awaitable that lives in the frame that awaits it and is linked into the owner of the
// operation. No owner keeps a pointer to it after `abandon`.
class Wait : public StopNode, public ListHook<struct QueueTag> {
 public:
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;

  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    return suspend(handle, *handle.promise().context);
  }

  // For the owner of the operation, once it has unlinked this wait:
  void resume();       // now; only from the scheduler's own callbacks, never from inside a task
  void resume_soon();  // in a later turn

 protected:
  // `what` says what is waited for, in a word or two; `limit` bounds the wait.
  explicit Wait(const char* what, Duration limit = forever) : what_(what), limit_(limit) {}
  ~Wait();

  // Links this wait into the operation's owner; false when there is nothing to wait for.
  virtual bool begin() = 0;
  // Unlinks it: stopped, or too late.
  virtual void abandon() noexcept { ListHook<QueueTag>::unlink(); }

  // Why the wait ended without its event; nothing when the event came.
  std::optional<Errc> stopped() const { return stopped_; }
  // It was this wait's own limit that ended it, not a stop.
  bool limit_reached() const { return limit_reached_; }
  tl::unexpected<Error> stop_error() const;  // only if stopped()
  Context& context() const { return *context_; }

 private:
  class Limit final : public Timer {
   public:
    explicit Limit(Wait& wait) : wait_(wait) {}
    void fire() override {
      wait_.limit_reached_ = true;
      wait_.give_up(Errc::timed_out);
    }

   private:
    Wait& wait_;
  };

  bool suspend(std::coroutine_handle<> handle, Context& context);
  void give_up(Errc why) noexcept;
  void settle() noexcept;
  void run() override;
  void on_stop(Errc why) noexcept override { give_up(why); }
  void describe(std::string& out) const override;

  const char* what_;
  Duration limit_;
  Limit timer_{*this};
  std::coroutine_handle<> handle_;
  Context* context_ = nullptr;
  std::optional<Errc> stopped_;
  bool limit_reached_ = false;
};

}  // namespace postern::coro
