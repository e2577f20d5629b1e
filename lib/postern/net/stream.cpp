#include <postern/net/stream.hpp>

#include <algorithm>

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
  taken_ += octets;
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
  if (held_.empty())
    window_ = octets;
  else
    held_.append(octets);
  bool gone = false;
  gone_ = &gone;
  if (More* more = std::exchange(more_, nullptr)) {
    more->arrived_ = true;
    more->resume();
    if (gone) return;
  }
  gone_ = nullptr;
  held_.append(window_);
  window_ = {};
  if (!paused_ && !more_ && held_.size() > high_water) {
    paused_ = true;
    pause_input();
  }
}

void Stream::end_input(Errc why) {
  if (end_) return;
  end_ = why;
  if (More* more = std::exchange(more_, nullptr))
    more->resume();
  else if (watcher_)
    watcher_->stream_ended(why);
}

void Stream::write(std::string_view octets) {
  if (output_error_ || octets.empty()) return;
  unsent_ += send(octets);
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
