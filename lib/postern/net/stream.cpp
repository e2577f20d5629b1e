#include <postern/net/stream.hpp>

#include <algorithm>
#include <exception>

namespace postern::net {

Stream::~Stream() {
  if (gone_) *gone_ = true;
}

bool Stream::More::begin() {
  if (stream_.end_) return false;
  stream_.more_ = this;
  if (std::exchange(stream_.paused_, false)) stream_.resume_input();  // else none would ever come
  return true;
}

Result<void> Stream::More::await_resume() const {
  if (arrived_) return {};
  if (stopped()) return stop_error();
  return fail(stream_.end_.value_or(Errc::closed), "input");
}

bool Stream::Flush::begin() {
  if (stream_.unsent_ == 0 || stream_.output_error_) return false;
  stream_.flush_ = this;
  return true;
}

Result<void> Stream::Flush::await_resume() const {
  if (stream_.output_error_) return fail(*stream_.output_error_, "output");
  if (stopped()) return stop_error();
  return {};
}

void Stream::consume(std::size_t octets) {
  if (held_.empty()) {
    window_.remove_prefix(octets);
    return;
  }
  taken_ += static_cast<std::uint32_t>(octets);
  if (taken_ == held_.size()) {
    std::string().swap(held_);  // an idle session holds no buffer
    taken_ = 0;
  } else if (taken_ > held_.size() / 2) {  // moved once per half: linear, however small the bites
    held_.erase(0, taken_);
    taken_ = 0;
  }
  if (paused_ && held_.size() - taken_ <= low_water) {
    paused_ = false;
    resume_input();
  }
}

void Stream::received(std::string_view octets) {
  if (codec_)
    decode(octets);
  else
    arrived(octets);
}

// False: the stream is gone.
bool Stream::arrived(std::string_view octets) {
  if (held_.empty())
    window_ = octets;
  else
    held_.append(octets);
  bool gone = false;
  gone_ = &gone;
  if (More* more = std::exchange(more_, nullptr)) {
    more->arrived_ = true;
    more->resume();
    if (gone) return false;
  }
  gone_ = nullptr;
  held_.append(window_);
  window_ = {};
  if (!paused_ && !more_ && held_.size() > high_water) {
    paused_ = true;
    pause_input();
  }
  return true;
}

void Stream::decode(std::string_view wire) {
  if (end_) return;  // whatever follows the end
  std::string plain, answer;
  const auto end = codec_->decode(wire, plain, answer);
  if (!answer.empty() && !output_error_) unsent_ += send(answer);
  if (!plain.empty() && !arrived(plain)) return;
  if (!end) return;
  pause_input();
  ended_with(*end);
}

void Stream::pass_through(std::unique_ptr<StreamCodec> codec) {
  const std::string wire(input());
  consume(wire.size());
  codec_ = std::move(codec);
  if (wire.empty()) return;
  std::string answer;
  const auto end = codec_->decode(wire, held_, answer);
  if (!answer.empty()) unsent_ += send(answer);
  if (end) end_ = end;
}

void Stream::end_input(Errc why) { ended_with(codec_ && why == Errc::closed ? Errc::reset : why); }

void Stream::ended_with(Errc why) {
  if (end_) return;
  end_ = why;
  if (More* more = std::exchange(more_, nullptr))
    more->resume();
  else if (watcher_)
    watcher_->stream_ended(why);
}

void Stream::write(std::string_view octets) {
  if (output_error_ || octets.empty()) return;
  if (!codec_) {
    unsent_ += send(octets);
    return;
  }
  std::string wire;
  if (!codec_->encode(octets, wire)) return output_failed(Errc::reset);
  unsent_ += send(wire);
}

void Stream::send_end() noexcept try {
  if (!codec_ || output_error_) return;
  std::string wire;
  codec_->encode_end(wire);
  if (!wire.empty()) unsent_ += send(wire);
} catch (const std::exception&) {  // without memory the other side sees that it was cut off
}

void Stream::end_output() {
  send_end();
  end_connection();
}

void Stream::reset() {
  if (codec_) silence();  // its end in order would be believed
  reset_connection();
}

void Stream::output_done(std::size_t octets) {
  unsent_ -= std::min(octets, unsent_);
  if (unsent_ > 0) return;
  if (Flush* flush = std::exchange(flush_, nullptr)) flush->resume();
}

void Stream::output_failed(Errc why) {
  if (output_error_) return;
  output_error_ = why;
  unsent_ = 0;
  if (Flush* flush = std::exchange(flush_, nullptr)) flush->resume_soon();
}

}  // namespace postern::net
