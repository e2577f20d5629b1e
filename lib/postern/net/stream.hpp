// A connection as a task sees it: octets that came in, octets to send, an end. `net` implements it
// on libuv, `testing` in memory.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/coro/wait.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace postern::net {

using coro::Duration;
using coro::forever;

// Hears that the other side went while nobody was waiting for input.
class EndWatcher {
 public:
  virtual void stream_ended(Errc why) = 0;  // closed or reset

 protected:
  ~EndWatcher() = default;
};

// What stands between a stream and its wire: TLS. Octets in, octets out; it waits for nothing.
class StreamCodec {
 public:
  virtual ~StreamCodec() = default;
  // Appends to `plain` what `wire` brings, and to `answer` what the other side must hear for it.
  // Returns why the input has ended, once it has: closed (the other side said so), reset (broken).
  virtual std::optional<Errc> decode(std::string_view wire, std::string& plain,
                                     std::string& answer) = 0;
  // Appends the wire form of `plain`. False: it can send no more.
  virtual bool encode(std::string_view plain, std::string& wire) = 0;
  // Appends what ends our half in order; nothing when it was said before.
  virtual void encode_end(std::string& wire) = 0;
};

// One reader and one writer at a time. Input is read ahead as it comes, up to `high_water`.
class Stream {
 public:
  static constexpr std::size_t high_water = 64 * 1024;  // stops reading from the network
  static constexpr std::size_t low_water = high_water / 2;

  // Waits for more octets than input() has now, even above `high_water`: whoever asks has a limit.
  // Errors: closed (the other side ended its half), reset, cancelled, timed_out; input() stays
  // usable.
  class More final : public coro::Wait {
   public:
    More(Stream& stream, Duration limit) : Wait("input", limit), stream_(stream) {}
    Result<void> await_resume() const;

   private:
    friend class Stream;
    bool begin() override;
    void abandon() noexcept override { stream_.more_ = nullptr; }
    Stream& stream_;
    bool arrived_ = false;
  };

  // Waits until all that was written is with the kernel.
  // Errors: reset, cancelled, timed_out; afterwards the stream may only be closed.
  class Flush final : public coro::Wait {
   public:
    Flush(Stream& stream, Duration limit) : Wait("output", limit), stream_(stream) {}
    Result<void> await_resume() const;

   private:
    friend class Stream;
    bool begin() override;
    void abandon() noexcept override { stream_.flush_ = nullptr; }
    Stream& stream_;
  };

  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // What has arrived and was not consumed. Valid until the next consume() or co_await.
  std::string_view input() const {
    return held_.empty() ? window_ : std::string_view(held_).substr(taken_);
  }
  void consume(std::size_t octets);
  More more(Duration limit) { return More(*this, limit); }
  // The other side has ended or reset its half; input() may still hold octets.
  bool ended() const { return end_.has_value(); }
  // At most one; null to stop watching. Not called while a task waits in more().
  void watch_end(EndWatcher* watcher) { watcher_ = watcher; }

  // Sends what the kernel takes at once and keeps the rest. Never fails: flush() tells.
  void write(std::string_view octets);
  Flush flush(Duration limit) { return Flush(*this, limit); }
  std::size_t unsent() const { return unsent_; }

  // Our end follows what is written next in the same turn, by end_output() or by disposing of the
  // stream: both may leave in one segment.
  virtual void end_follows() {}
  // Ends our half after all that was written; the other side sees the end, we may still read.
  void end_output();
  // Closes so that the other side sees a reset instead of an orderly end.
  void reset();

  // From now on all goes through `codec`, beginning with what is in input(): that was never meant
  // for the reader. An end that the codec has not seen is a reset then: somebody cut us off.
  void pass_through(std::unique_ptr<StreamCodec> codec);
  bool coded() const { return codec_ != nullptr; }
  // Sends no octet any more: what was to be said must not be said in the clear.
  void silence() { output_failed(Errc::reset); }

  const SocketAddress& remote() const { return remote_; }
  virtual SocketAddress local() const = 0;

 protected:
  virtual ~Stream();
  friend struct StreamDeleter;
  virtual void dispose() noexcept = 0;  // closes it and frees this object, now or later
  virtual void end_connection() = 0;    // end_output() and reset() of the transport
  virtual void reset_connection() = 0;

  // For implementations. `octets` need to be valid during the call only; the stream may be gone
  // when received(), end_input() or output_done() return.
  void received(std::string_view octets);
  void end_input(Errc why);
  virtual std::size_t send(std::string_view octets) = 0;  // how many of them are left to send later
  void output_done(std::size_t octets);
  void output_failed(Errc why);
  virtual void pause_input() = 0;
  virtual void resume_input() = 0;
  void set_remote(const SocketAddress& remote) { remote_ = remote; }

 private:
  bool arrived(std::string_view octets);
  void decode(std::string_view wire);
  void ended_with(Errc why);
  void send_end() noexcept;

  std::string_view window_;  // the loop's read buffer, during received()
  std::string held_;         // what was not consumed when received() returned,
  std::uint32_t taken_ = 0;  // less the octets consumed since
  std::optional<Errc> end_;
  std::optional<Errc> output_error_;
  std::size_t unsent_ = 0;
  More* more_ = nullptr;
  Flush* flush_ = nullptr;
  EndWatcher* watcher_ = nullptr;
  std::unique_ptr<StreamCodec> codec_;
  bool* gone_ = nullptr;  // set by the destructor while received() is on the stack
  SocketAddress remote_;
  bool paused_ = false;
};

struct StreamDeleter {
  void operator()(Stream* stream) const noexcept {
    stream->send_end();
    stream->dispose();
  }
};
using StreamPtr = std::unique_ptr<Stream, StreamDeleter>;

}  // namespace postern::net
