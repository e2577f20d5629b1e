#include <postern/testing/memory_stream.hpp>

#include <algorithm>
#include <array>
#include <deque>

namespace postern::testing {

// One direction of a connection: from the writer's kernel to the reader's. Everything that a stream
// is told comes from its timer, never from inside the call of a task.
class Pipe final : private coro::Timer, private coro::Job {
 public:
  Pipe(SimScheduler& sim, LinkOptions options) : sim_(sim), options_(options) {}
  ~Pipe() { sim_.disarm(*this); }
  void connect(Link& link, Pipe& back, MemoryStream* writer, MemoryStream* reader) {
    link_ = &link;
    back_ = &back;
    writer_ = writer;
    reader_ = reader;
  }

  std::size_t send(std::string_view octets);
  void end(Errc how);  // closed: after what is on its way; reset: what is with the writer is lost
  void hang() { hung_ = true; }
  void pause() { paused_ = true; }
  void resume();
  void writer_gone();
  void reader_gone() { reader_ = nullptr; }
  void break_writer();  // the reader's side answered with a reset
  std::size_t on_its_way() const { return on_its_way_; }

 private:
  struct Segment {
    TimePoint due;
    std::string octets;
    std::size_t taken = 0;  // of them, by the reader: a big one is read octet by octet, too
  };

  void fire() override { step(); }
  void run() override { step(); }
  void step();
  void deliver();  // tells one stream one thing, whatever comes first
  void put_on_the_way(std::string_view octets);
  std::size_t fill_window();
  std::string take_piece();
  std::size_t draw_piece(std::size_t most);
  void wake();  // comes back for whatever is due next, in a turn of its own
  void wake_at(TimePoint due);
  std::size_t room() const { return options_.window - std::min(options_.window, on_its_way_); }
  bool end_is_due() const {
    return end_ && !end_told_ && flight_.empty() && unsent_.empty() && end_due_ <= sim_.now();
  }

  SimScheduler& sim_;
  LinkOptions options_;
  Link* link_ = nullptr;
  Pipe* back_ = nullptr;  // the other direction
  MemoryStream* writer_ = nullptr;
  MemoryStream* reader_ = nullptr;
  std::string unsent_;  // with the writer: the window was full
  std::deque<Segment> flight_;
  std::size_t on_its_way_ = 0;  // octets in flight_
  std::optional<Errc> end_;
  TimePoint end_due_{};
  bool end_told_ = false;
  bool broken_ = false;  // the writer is to be told of a reset
  bool broken_told_ = false;
  bool paused_ = false;
  bool hung_ = false;
};

// The connection: lives as long as one of its streams, or a call that tells one of them something.
class Link final : public std::enable_shared_from_this<Link> {
 public:
  Link(SimScheduler& sim, LinkOptions options) : pipes{{{sim, options}, {sim, options}}} {}
  Pipe& from(int side) { return pipes[static_cast<std::size_t>(side)]; }
  Pipe& to(int side) { return pipes[static_cast<std::size_t>(1 - side)]; }

  std::array<Pipe, 2> pipes;
};

std::size_t Pipe::send(std::string_view octets) {
  if (end_) return 0;
  const std::size_t now = unsent_.empty() ? std::min(room(), octets.size()) : 0;
  put_on_the_way(octets.substr(0, now));
  unsent_.append(octets.substr(now));
  wake();
  return octets.size() - now;
}

void Pipe::put_on_the_way(std::string_view octets) {
  if (octets.empty()) return;
  on_its_way_ += octets.size();
  if (hung_) return;  // the writer's kernel has them, and keeps them
  const TimePoint due = sim_.now() + options_.latency;
  if (!flight_.empty() && flight_.back().due == due)
    flight_.back().octets.append(octets);
  else
    flight_.push_back({due, std::string(octets)});
}

std::size_t Pipe::fill_window() {
  const std::size_t moved = std::min(room(), unsent_.size());
  put_on_the_way(std::string_view(unsent_).substr(0, moved));
  unsent_.erase(0, moved);
  return moved;
}

void Pipe::end(Errc how) {
  if (end_ == Errc::reset || hung_ || (end_ && how == Errc::closed)) return;
  if (how == Errc::reset) unsent_.clear();
  end_ = how;
  end_due_ = sim_.now() + options_.latency;
  wake();
}

void Pipe::resume() {
  paused_ = false;
  wake();
}

void Pipe::writer_gone() {
  writer_ = nullptr;
  unsent_.clear();  // what the kernel did not take goes with the process
  end(Errc::closed);
}

void Pipe::break_writer() {
  broken_ = true;
  wake();
}

std::size_t Pipe::draw_piece(std::size_t most) {
  if (options_.pieces == Pieces::single) return 1;
  if (options_.pieces == Pieces::whole) return most;
  return std::min<std::size_t>(most, 1 + sim_.random().below(2048));
}

std::string Pipe::take_piece() {
  Segment& first = flight_.front();
  std::string piece;
  const std::size_t left = first.octets.size() - first.taken;
  const std::size_t size = draw_piece(std::min<std::size_t>(left, 64 * 1024));
  if (size == first.octets.size()) {
    piece = std::move(first.octets);
  } else {
    piece = first.octets.substr(first.taken, size);
  }
  first.taken += size;
  if (size == left) flight_.pop_front();
  on_its_way_ -= piece.size();
  return piece;
}

void Pipe::step() {
  const auto keep = link_->shared_from_this();  // what a stream is told may end both of them
  deliver();
  wake();
}

void Pipe::deliver() {
  if (broken_ && !broken_told_) {
    broken_told_ = true;
    if (writer_) writer_->output_failed(Errc::reset);
  } else if (const std::size_t moved = fill_window(); moved > 0) {
    if (writer_) writer_->output_done(moved);
  } else if (!flight_.empty() && flight_.front().due <= sim_.now() && (!paused_ || !reader_)) {
    if (reader_) return reader_->received(take_piece());
    on_its_way_ = 0;
    flight_.clear();
    if (back_->hung_) return;
    back_->end(Errc::reset);  // nobody is there: the other kernel says so
    break_writer();
  } else if (end_is_due()) {
    end_told_ = true;
    if (end_ == Errc::reset) back_->break_writer();
    if (reader_) reader_->end_input(*end_);
  }
}

void Pipe::wake() {
  const bool breaks = broken_ && !broken_told_;
  if (breaks || (!unsent_.empty() && room() > 0)) return wake_at(sim_.now());
  if (!flight_.empty()) {
    if (!paused_ || !reader_) wake_at(flight_.front().due);
  } else if (end_ && !end_told_ && unsent_.empty()) {
    wake_at(end_due_);
  }
}

void Pipe::wake_at(TimePoint due) {
  if (ListHook<coro::PostedTag>::linked()) return;
  if (due <= sim_.now())
    sim_.post(*this);
  else
    sim_.arm(*this, due);
}

MemoryStream::MemoryStream(std::shared_ptr<Link> link, int side, SocketAddress local,
                           SocketAddress remote)
    : link_(std::move(link)), side_(side), local_(local) {
  set_remote(remote);
}

void MemoryStream::end_connection() { link_->from(side_).end(Errc::closed); }

void MemoryStream::reset_connection() {
  link_->from(side_).end(Errc::reset);
  link_->from(side_).break_writer();
  link_->to(side_).end(Errc::reset);
}

void MemoryStream::hang() { link_->from(side_).hang(); }

std::size_t MemoryStream::arriving() const { return link_->to(side_).on_its_way(); }

void MemoryStream::dispose() noexcept {
  link_->to(side_).reader_gone();
  link_->from(side_).writer_gone();
  delete this;
}

std::size_t MemoryStream::send(std::string_view octets) {
  ++writes_;
  return link_->from(side_).send(octets);
}
void MemoryStream::pause_input() { link_->to(side_).pause(); }
void MemoryStream::resume_input() { link_->to(side_).resume(); }

std::pair<net::StreamPtr, net::StreamPtr> make_stream_pair(SimScheduler& sim, LinkOptions options,
                                                           SocketAddress first,
                                                           SocketAddress second) {
  auto link = std::make_shared<Link>(sim, options);
  auto* a = new MemoryStream(link, 0, first, second);
  auto* b = new MemoryStream(link, 1, second, first);
  link->from(0).connect(*link, link->from(1), a, b);
  link->from(1).connect(*link, link->from(0), b, a);
  return {net::StreamPtr(a), net::StreamPtr(b)};
}

}  // namespace postern::testing
