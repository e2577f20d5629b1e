#include <postern/net/loop.hpp>

#include <uv.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>

namespace postern::net {

// One timer and no handle per session: the timer sweeps the queue of Scheduler.
struct Loop::Handles {
  uv_loop_t loop{};
  uv_prepare_t prepare{};
  uv_idle_t idle{};  // active only while posted jobs are left: the poll then does not wait
  uv_timer_t timer{};
  std::array<char, 64 * 1024> buffer;
};

Loop::Loop() : handles_(std::make_unique<Handles>()), now_(coro::Clock::now()) {
  // libuv writes without MSG_NOSIGNAL: who resets a connection must not end the process.
  std::signal(SIGPIPE, SIG_IGN);
  if (uv_loop_init(&handles_->loop) != 0) throw std::runtime_error("cannot make an event loop");
  for (auto* handle : {reinterpret_cast<uv_handle_t*>(&handles_->prepare),
                       reinterpret_cast<uv_handle_t*>(&handles_->idle),
                       reinterpret_cast<uv_handle_t*>(&handles_->timer)})
    handle->data = this;
  uv_prepare_init(&handles_->loop, &handles_->prepare);
  uv_idle_init(&handles_->loop, &handles_->idle);
  uv_timer_init(&handles_->loop, &handles_->timer);
  uv_prepare_start(&handles_->prepare,
                   [](uv_prepare_t* handle) { static_cast<Loop*>(handle->data)->before_poll(); });
}

Loop::~Loop() {
  for (auto* handle : {reinterpret_cast<uv_handle_t*>(&handles_->prepare),
                       reinterpret_cast<uv_handle_t*>(&handles_->idle),
                       reinterpret_cast<uv_handle_t*>(&handles_->timer)})
    uv_close(handle, nullptr);
  uv_run(&handles_->loop, UV_RUN_DEFAULT);  // the close callbacks, and pool jobs that still run
  uv_loop_close(&handles_->loop);
}

uv_loop_s* Loop::uv() { return &handles_->loop; }

std::span<char> Loop::read_buffer() { return handles_->buffer; }

void Loop::run() {
  enter();
  uv_run(&handles_->loop, UV_RUN_DEFAULT);
  end_turn();  // what follows is the caller's time
}

void Loop::stop() { uv_stop(&handles_->loop); }

void Loop::enter() {
  if (in_turn_) return;
  in_turn_ = true;
  now_ = began_ = std::max(now_, coro::Clock::now());
}

void Loop::before_poll() {
  if (has_jobs()) enter();
  constexpr int rounds = 8;  // jobs that post jobs share the loop with input
  for (int round = 0; has_jobs() && round < rounds; ++round) run_jobs();
  if (has_jobs())
    uv_idle_start(&handles_->idle, [](uv_idle_t*) {});
  else
    uv_idle_stop(&handles_->idle);
  end_turn();
}

void Loop::end_turn() {
  if (!in_turn_) return;
  in_turn_ = false;
  const Duration held = coro::Clock::now() - began_;
  if (held > held_too_long && lag_watcher_) lag_watcher_->loop_was_held(held, running());
}

void Loop::rearm(TimePoint due) {
  uv_update_time(&handles_->loop);
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(
      std::max(due - coro::Clock::now(), Duration::zero()));
  uv_timer_start(
      &handles_->timer, [](uv_timer_t* timer) { static_cast<Loop*>(timer->data)->timer_due(); },
      static_cast<std::uint64_t>(wait.count()), 0);
}

void Loop::timer_due() {
  enter();
  // What was called back before may have taken its time. With the old time a timer that has come
  // due since would not fire, and libuv would call this again at once, for ever.
  now_ = std::max(now_, coro::Clock::now());
  fire_timers(now_);
  if (const coro::Timer* next = timers().first()) rearm(next->due());
}

}  // namespace postern::net
