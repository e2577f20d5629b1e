#include <postern/net/socket_address.hpp>
#include <postern/net/tcp_stream.hpp>

#include <algorithm>
#include <cerrno>

namespace postern::net {

TcpStream::TcpStream(Loop& loop) : loop_(loop) {
  uv_tcp_init(loop.uv(), &tcp_);
  tcp_.data = this;
}

void TcpStream::start(const SocketAddress& remote) {
  set_remote(remote);
  resume_input();
}

void TcpStream::read_at_once() {
  uv_os_fd_t fd = -1;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(&tcp_), &fd) != 0) return;
  const auto buffer = loop_.read_buffer();
  const ssize_t count = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count > 0) received({buffer.data(), static_cast<std::size_t>(count)});
  // An end or an error is libuv's to find.
}

void TcpStream::resume_input() {
  if (closing_) return;
  uv_read_start(
      reinterpret_cast<uv_stream_t*>(&tcp_),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        const auto shared = static_cast<TcpStream*>(handle->data)->loop_.read_buffer();
        *buffer = uv_buf_init(shared.data(), static_cast<unsigned>(shared.size()));
      },
      [](uv_stream_t* handle, ssize_t count, const uv_buf_t* buffer) {
        static_cast<TcpStream*>(handle->data)->on_read(count, *buffer);
      });
}

void TcpStream::pause_input() {
  if (!closing_) uv_read_stop(reinterpret_cast<uv_stream_t*>(&tcp_));
}

void TcpStream::on_read(ssize_t count, const uv_buf_t& buffer) {
  if (count == 0) return;
  loop_.enter();
  if (count > 0) return received({buffer.base, static_cast<std::size_t>(count)});
  pause_input();
  end_input(count == UV_EOF ? Errc::closed : Errc::reset);
}

// Octets that the kernel did not take at once; they are the stream's until it took them.
struct TcpStream::Write {
  Write(TcpStream& owner, std::string_view rest) : stream(owner), octets(rest) {
    request.data = this;
  }
  TcpStream& stream;
  std::string octets;
  uv_write_t request{};
};

// What the kernel takes now, or a negative errno. MSG_MORE holds the octets back until more is sent
// or the end, with which they then share a segment.
ssize_t TcpStream::try_send(std::string_view octets) {
  uv_os_fd_t fd = -1;
  if (!end_follows_ || uv_fileno(reinterpret_cast<uv_handle_t*>(&tcp_), &fd) != 0) {
    const uv_buf_t buffer =
        uv_buf_init(const_cast<char*>(octets.data()), static_cast<unsigned>(octets.size()));
    return uv_try_write(reinterpret_cast<uv_stream_t*>(&tcp_), &buffer, 1);
  }
  const ssize_t taken =
      ::send(fd, octets.data(), octets.size(), MSG_MORE | MSG_DONTWAIT | MSG_NOSIGNAL);
  return taken < 0 ? -errno : taken;
}

std::size_t TcpStream::send(std::string_view octets) {
  if (closing_) return 0;
  const ssize_t taken = unsent() > 0 ? 0 : try_send(octets);
  if (taken < 0 && taken != UV_EAGAIN) {
    output_failed(errc_from_errno(static_cast<int>(taken)));
    return 0;
  }
  octets.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(taken, 0)));
  if (octets.empty()) return 0;
  auto* stream = reinterpret_cast<uv_stream_t*>(&tcp_);
  auto* write = new Write(*this, octets);
  const uv_buf_t buffer =
      uv_buf_init(write->octets.data(), static_cast<unsigned>(write->octets.size()));
  uv_write(&write->request, stream, &buffer, 1, [](uv_write_t* request, int status) {
    const std::unique_ptr<Write> done(static_cast<Write*>(request->data));
    TcpStream& owner = done->stream;
    owner.loop_.enter();
    if (status < 0)
      owner.output_failed(errc_from_errno(status));
    else
      owner.output_done(done->octets.size());
  });
  return octets.size();
}

void TcpStream::end_connection() {
  if (closing_) return;
  auto* request = new uv_shutdown_t;
  const int failed = uv_shutdown(request, reinterpret_cast<uv_stream_t*>(&tcp_),
                                 [](uv_shutdown_t* done, int) { delete done; });
  if (failed) delete request;
}

void TcpStream::reset_connection() {
  uv_os_fd_t fd = -1;
  if (closing_ || uv_fileno(reinterpret_cast<uv_handle_t*>(&tcp_), &fd) != 0) return;
  const linger at_once{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

SocketAddress TcpStream::local() const {
  sockaddr_storage storage{};
  int size = sizeof storage;
  uv_tcp_getsockname(&tcp_, reinterpret_cast<sockaddr*>(&storage), &size);
  return from_raw(storage);
}

void TcpStream::close_handle() {
  if (closing_) return;
  closing_ = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&tcp_), [](uv_handle_t* handle) {
    auto* stream = static_cast<TcpStream*>(handle->data);
    stream->tcp_.data = nullptr;
    if (stream->disposed_) delete stream;
  });
}

void TcpStream::dispose() noexcept {
  disposed_ = true;
  if (tcp_.data == nullptr)
    delete this;  // its handle has been closed before
  else
    close_handle();
}

SocketAddress remote_address(const uv_tcp_t& tcp) {
  sockaddr_storage storage{};
  int size = sizeof storage;
  uv_tcp_getpeername(&tcp, reinterpret_cast<sockaddr*>(&storage), &size);
  return from_raw(storage);
}

}  // namespace postern::net
