#include <postern/net/channel.hpp>

#include <uv.h>

namespace postern::net {
namespace {

class PipeChannel final : public Channel {
 public:
  PipeChannel(Loop& loop, ChannelReader& reader) : handle_(new Handle(loop, reader)) {}
  ~PipeChannel() override { handle_->close(); }

  Result<void> open(int socket) {
    if (const int failed = uv_pipe_open(&handle_->pipe, socket))
      return fail_errno(failed, "opening a channel");
    if (const int failed = handle_->read()) return fail_errno(failed, "reading from a channel");
    return {};
  }

  void send(std::string octets) override { handle_->send(std::move(octets)); }

 private:
  struct Write {
    explicit Write(std::string rest) : octets(std::move(rest)) { request.data = this; }
    std::string octets;
    uv_write_t request{};
  };

  // Frees itself in its close callback.
  struct Handle {
    Handle(Loop& owner, ChannelReader& listener) : loop(owner), reader(&listener) {
      uv_pipe_init(loop.uv(), &pipe, 0);
      pipe.data = this;
    }

    int read() {
      return uv_read_start(
          stream(),
          [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
            const auto shared = static_cast<Handle*>(handle->data)->loop.read_buffer();
            *buffer = uv_buf_init(shared.data(), static_cast<unsigned>(shared.size()));
          },
          [](uv_stream_t* handle, ssize_t count, const uv_buf_t* buffer) {
            static_cast<Handle*>(handle->data)->on_read(count, buffer->base);
          });
    }

    void on_read(ssize_t count, const char* octets) {
      loop.enter();
      if (count > 0) return reader->received({octets, static_cast<std::size_t>(count)});
      if (count == 0) return;
      uv_read_stop(stream());
      reader->channel_ended();
    }

    void send(std::string octets) {
      auto* write = new Write(std::move(octets));
      uv_buf_t buffer =
          uv_buf_init(write->octets.data(), static_cast<unsigned>(write->octets.size()));
      const int failed = uv_write(&write->request, stream(), &buffer, 1, [](uv_write_t* done, int) {
        delete static_cast<Write*>(done->data);  // a failure shows as the end of the input
      });
      if (failed) delete write;
    }

    void close() {
      uv_close(reinterpret_cast<uv_handle_t*>(&pipe),
               [](uv_handle_t* handle) { delete static_cast<Handle*>(handle->data); });
    }

    uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&pipe); }

    Loop& loop;
    ChannelReader* reader;
    uv_pipe_t pipe{};
  };

  Handle* handle_;
};

}  // namespace

Result<std::unique_ptr<Channel>> Channel::open(Loop& loop, int socket, ChannelReader& reader) {
  auto channel = std::make_unique<PipeChannel>(loop, reader);
  auto opened = channel->open(socket);
  if (!opened) return fail(opened.error());
  return channel;
}

}  // namespace postern::net
