#include <postern/coro/sleep.hpp>
#include <postern/net/local_socket.hpp>
#include <postern/net/socket_address.hpp>
#include <postern/net/sockets.hpp>
#include <postern/net/tcp.hpp>
#include <postern/net/tcp_stream.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace postern::net {
namespace {

constexpr Duration full_queue_pause = std::chrono::milliseconds(20);

class TcpListener final : public Listener {
 public:
  TcpListener(Loop& loop, Acceptor& acceptor) : handle_(new Handle(loop, acceptor)) {}
  ~TcpListener() override { handle_->close(); }

  Result<void> open(int socket) {
    const int own = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (own < 0) return fail_errno(errno, "duplicating a listening socket");
    if (const int failed = uv_tcp_open(&handle_->tcp, own)) {
      ::close(own);
      return fail_errno(failed, "opening a listening socket");
    }
    const int failed = uv_listen(reinterpret_cast<uv_stream_t*>(&handle_->tcp), listen_backlog,
                                 [](uv_stream_t* server, int status) {
                                   auto* handle = static_cast<Handle*>(server->data);
                                   handle->loop.enter();
                                   if (status == 0) return handle->accept();
                                   const auto error = fail_errno(status, "accepting a client");
                                   handle->acceptor.accept_failed(error.value());
                                 });
    if (failed) return fail_errno(failed, "listening");
    return {};
  }

 private:
  struct Handle {
    Handle(Loop& owner, Acceptor& taker) : loop(owner), acceptor(taker) {
      uv_tcp_init(loop.uv(), &tcp);
      tcp.data = this;
    }
    void accept() {
      auto* raw = new TcpStream(loop);
      StreamPtr stream(raw);
      if (uv_accept(reinterpret_cast<uv_stream_t*>(&tcp),
                    reinterpret_cast<uv_stream_t*>(raw->handle())) != 0)
        return;
      raw->start(remote_address(*raw->handle()));
      raw->read_at_once();
      acceptor.accepted(std::move(stream));
    }
    void close() {
      uv_close(reinterpret_cast<uv_handle_t*>(&tcp),
               [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
    }
    Loop& loop;
    Acceptor& acceptor;
    uv_tcp_t tcp{};
  };

  Handle* handle_;
};

// libuv answers a connect whose handle was closed too, so the request frees itself there.
class Connecting final : public coro::Wait {
 public:
  Connecting(TcpStream& stream, const SocketAddress& to, Duration limit)
      : Wait("connect", limit), stream_(stream), to_(to) {}

  Result<void> await_resume() const {
    if (stopped()) return stop_error();
    if (status_ != 0) return fail_errno(status_, fmt::format("connecting to {}", to_.text()));
    return {};
  }

 private:
  struct Request {
    explicit Request(Connecting& owner) : waiter(&owner) { request.data = this; }
    uv_connect_t request{};
    Connecting* waiter;
  };

  bool begin() override {
    request_ = new Request(*this);
    const RawAddress raw(to_);
    status_ = uv_tcp_connect(
        &request_->request, stream_.handle(), raw.get(), [](uv_connect_t* done, int status) {
          const std::unique_ptr<Request> request(static_cast<Request*>(done->data));
          if (Connecting* waiter = request->waiter) waiter->finish(status);
        });
    if (status_ == 0) return true;
    delete std::exchange(request_, nullptr);
    return false;
  }
  void abandon() noexcept override {
    request_->waiter = nullptr;
    stream_.close_handle();
  }
  void finish(int status) {
    status_ = status;
    stream_.loop().enter();
    resume();
  }

  TcpStream& stream_;
  SocketAddress to_;
  Request* request_ = nullptr;
  int status_ = 0;
};

Connecting connecting(TcpStream& stream, const SocketAddress& to, Duration limit) {
  return Connecting(stream, to, limit);
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, int socket, Acceptor& acceptor) {
  auto listener = std::make_unique<TcpListener>(loop, acceptor);
  auto opened = listener->open(socket);
  if (!opened) return fail(opened.error());
  return listener;
}

coro::Task<Result<StreamPtr>> TcpNetwork::connect(ServerAddress to, Duration limit) {
  if (to.is_local()) {
    auto opened = co_await connect_to_path(std::move(to.path), limit);
    co_return opened;
  }
  auto* tcp = new TcpStream(loop_);
  StreamPtr stream(tcp);
  auto connected = co_await connecting(*tcp, to.socket, limit);
  if (!connected) co_return fail(connected.error());
  uv_tcp_nodelay(tcp->handle(), 1);
  tcp->start(to.socket);
  co_return stream;
}

// Nothing tells when a unix socket's queue has room again: it is asked now and then. libuv's TCP
// handle takes any stream socket (uv_tcp_open), and so this one.
coro::Task<Result<StreamPtr>> TcpNetwork::connect_to_path(std::string path, Duration limit) {
  const coro::TimePoint due = loop_.now() + limit;
  auto socket = connect_local(path);
  while (!socket && socket.error().code == Errc::busy) {
    if (loop_.now() >= due) co_return fail(Errc::timed_out, socket.error().text);
    auto slept = co_await coro::sleep(full_queue_pause);
    if (!slept) co_return fail(slept.error());
    socket = connect_local(path);
  }
  if (!socket) co_return fail(socket.error());
  auto* connected = new TcpStream(loop_);
  StreamPtr stream(connected);
  if (const int failed = uv_tcp_open(connected->handle(), *socket)) {
    ::close(*socket);
    co_return fail_errno(failed, "opening a unix socket");
  }
  connected->start({});
  co_return stream;
}

}  // namespace postern::net
