#include <postern/net/socket_watch.hpp>

#include <uv.h>

namespace postern::net {
namespace {

class PollWatch final : public SocketWatch {
 public:
  PollWatch(Loop& loop, int socket, SocketOwner& owner)
      : handle_(new Handle(loop, socket, owner)) {}
  ~PollWatch() override {
    if (opened_)
      handle_->close();
    else
      delete handle_;
  }

  Result<void> open() {
    if (const int failed = uv_poll_init(handle_->loop.uv(), &handle_->poll, handle_->socket))
      return fail_errno(failed, "watching a socket");
    opened_ = true;
    return {};
  }

  void want(bool readable, bool writable) override {
    const int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
    if (events == 0)
      uv_poll_stop(&handle_->poll);
    else
      uv_poll_start(&handle_->poll, events, [](uv_poll_t* poll, int status, int ready) {
        static_cast<Handle*>(poll->data)->ready(status, ready);
      });
  }

 private:
  // Frees itself in its close callback.
  struct Handle {
    Handle(Loop& l, int s, SocketOwner& o) : loop(l), socket(s), owner(o) { poll.data = this; }
    void ready(int status, int events) {
      loop.enter();
      const bool failed = status < 0;
      owner.socket_ready(socket, failed || (events & UV_READABLE) != 0,
                         failed || (events & UV_WRITABLE) != 0);
    }
    void close() {
      uv_poll_stop(&poll);  // now, not when the close callback comes: the socket may go before that
      uv_close(reinterpret_cast<uv_handle_t*>(&poll),
               [](uv_handle_t* closed) { delete static_cast<Handle*>(closed->data); });
    }
    Loop& loop;
    int socket;
    SocketOwner& owner;
    uv_poll_t poll{};
  };

  Handle* handle_;
  bool opened_ = false;
};

}  // namespace

Result<std::unique_ptr<SocketWatch>> SocketWatch::open(Loop& loop, int socket, SocketOwner& owner) {
  auto watch = std::make_unique<PollWatch>(loop, socket, owner);
  auto opened = watch->open();
  if (!opened) return fail(opened.error());
  return watch;
}

}  // namespace postern::net
