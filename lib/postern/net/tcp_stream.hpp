// Stream on a libuv TCP handle; inside `net` only.
#pragma once

#include <postern/coro/pooled.hpp>
#include <postern/net/loop.hpp>
#include <postern/net/stream.hpp>

#include <uv.h>

namespace postern::net {

// The handle lives in this heap object, which frees itself in the close callback and nowhere else.
class TcpStream final : public coro::Pooled, public Stream {
 public:
  explicit TcpStream(Loop& loop);

  void end_follows() override { end_follows_ = true; }
  SocketAddress local() const override;

  uv_tcp_t* handle() { return &tcp_; }
  Loop& loop() { return loop_; }
  // Once connected: reads from now on until it is closed.
  void start(const SocketAddress& remote);
  // What has come before now: a client that speaks before it is greeted. Once, after start().
  void read_at_once();
  void close_handle();  // before the owner disposes of it: a connect that was given up

 private:
  struct Write;
  void dispose() noexcept override;
  void end_connection() override;
  void reset_connection() override;
  std::size_t send(std::string_view octets) override;
  ssize_t try_send(std::string_view octets);
  void pause_input() override;
  void resume_input() override;
  void on_read(ssize_t count, const uv_buf_t& buffer);

  Loop& loop_;
  uv_tcp_t tcp_{};
  bool closing_ = false;
  bool disposed_ = false;
  bool end_follows_ = false;
};

SocketAddress remote_address(const uv_tcp_t& tcp);

}  // namespace postern::net
