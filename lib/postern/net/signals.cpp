#include <postern/net/signals.hpp>

#include <uv.h>

#include <vector>

namespace postern::net {
namespace {

class UvSignals final : public Signals {
 public:
  UvSignals(Loop& loop, SignalHandler& handler) : loop_(loop), handler_(handler) {}
  ~UvSignals() override {
    for (Handle* handle : handles_)
      uv_close(reinterpret_cast<uv_handle_t*>(&handle->signal),
               [](uv_handle_t* closed) { delete static_cast<Handle*>(closed->data); });
  }

  Result<void> add(int number) {
    auto* handle = new Handle(loop_, handler_);
    handles_.push_back(handle);
    const int failed = uv_signal_start(
        &handle->signal,
        [](uv_signal_t* signal, int caught) {
          auto* heard = static_cast<Handle*>(signal->data);
          heard->loop.enter();
          heard->handler.signalled(caught);
        },
        number);
    if (failed) return fail_errno(failed, "waiting for signals");
    return {};
  }

 private:
  struct Handle {  // frees itself in its close callback
    Handle(Loop& owner, SignalHandler& listener) : loop(owner), handler(listener) {
      uv_signal_init(loop.uv(), &signal);
      signal.data = this;
    }
    Loop& loop;
    SignalHandler& handler;
    uv_signal_t signal{};
  };

  Loop& loop_;
  SignalHandler& handler_;
  std::vector<Handle*> handles_;
};

}  // namespace

Result<std::unique_ptr<Signals>> Signals::open(Loop& loop, std::initializer_list<int> numbers,
                                               SignalHandler& handler) {
  auto signals = std::make_unique<UvSignals>(loop, handler);
  for (const int number : numbers) {
    auto added = signals->add(number);
    if (!added) return fail(added.error());
  }
  return signals;
}

}  // namespace postern::net
