// A TCP connection on libuv that a coroutine reads by pieces of text.
#pragma once

#include <netinet/in.h>
#include <uv.h>

#include <array>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace spike {

inline std::array<char, 64 * 1024>
    read_buffer;  // one for the loop: what is read is copied out at once

struct Wire {
  uv_tcp_t tcp{};
  uv_connect_t connecting{};
  std::string in, out;
  std::size_t used = 0;  // of `in`
  std::coroutine_handle<> waiter;
  std::string_view wanted;  // what `in` must hold for the waiter to go on
  bool over = false;

  explicit Wire(uv_loop_t* loop) {
    uv_tcp_init(loop, &tcp);
    tcp.data = this;
  }

  void listen_to_it() {
    uv_read_start(
        stream(),
        [](uv_handle_t*, std::size_t, uv_buf_t* buffer) {
          *buffer = uv_buf_init(read_buffer.data(), read_buffer.size());
        },
        [](uv_stream_t* from, ssize_t count, const uv_buf_t* buffer) {
          static_cast<Wire*>(from->data)->take(buffer->base, count);
        });
  }
  void take(const char* octets, ssize_t count) {
    if (count < 0) over = true;
    if (count > 0) in.append(octets, static_cast<std::size_t>(count));
    if (waiter && ready()) std::exchange(waiter, {}).resume();
  }
  bool ready() const { return over || in.find(wanted, used) != std::string::npos; }

  void say(std::string_view text) { out += text; }
  void flush() {  // an empty buffer of the socket holds all that the scenarios say
    if (out.empty()) return;
    uv_buf_t buffer = uv_buf_init(out.data(), static_cast<unsigned>(out.size()));
    if (uv_try_write(stream(), &buffer, 1) != static_cast<int>(out.size())) over = true;
    out.clear();
  }
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp); }

  struct Close {
    void operator()(Wire* wire) const {
      wire->flush();
      uv_close(reinterpret_cast<uv_handle_t*>(&wire->tcp),
               [](uv_handle_t* handle) { delete static_cast<Wire*>(handle->data); });
    }
  };

  // Up to the next `end` and with it, valid until the next wait; empty at the end of the
  // connection. All replies so far leave before a wait.
  auto until(std::string_view end) {
    struct Wait {
      Wire& wire;
      std::string_view end;
      bool await_ready() {
        if (wire.used == wire.in.size()) wire.in.clear(), wire.used = 0;
        wire.wanted = end;
        return wire.ready();
      }
      void await_suspend(std::coroutine_handle<> handle) {
        wire.flush();
        wire.waiter = handle;
      }
      std::string_view await_resume() {
        const std::size_t at = wire.in.find(end, wire.used);
        if (at == std::string::npos) return {};
        const std::size_t from = std::exchange(wire.used, at + end.size());
        return std::string_view(wire.in).substr(from, wire.used - from);
      }
    };
    return Wait{*this, end};
  }
  auto line() { return until("\r\n"); }
};
using WirePtr = std::unique_ptr<Wire, Wire::Close>;

struct Connecting {
  Wire& wire;
  sockaddr_in to;
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    wire.waiter = handle;
    uv_tcp_nodelay(&wire.tcp, 1);
    uv_tcp_connect(&wire.connecting, &wire.tcp, reinterpret_cast<const sockaddr*>(&to),
                   [](uv_connect_t* request, int status) {
                     auto* connected = static_cast<Wire*>(request->handle->data);
                     connected->over = status < 0;
                     std::exchange(connected->waiter, {}).resume();
                   });
  }
  void await_resume() {}
};

}  // namespace spike
