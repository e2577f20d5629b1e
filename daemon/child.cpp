#include "child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "spawn.hpp"

namespace postern::daemon {

Result<std::unique_ptr<Child>> Child::start(const Hello& hello,
                                            std::shared_ptr<const std::string> bundle,
                                            TimePoint now) {
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return fail_errno(errno, "making a socket pair");
  const auto [ours, theirs] = pair;
  ChildSetup setup{{"--worker", std::to_string(theirs)}, hello.sockets, -1, -1};
  setup.inherit.push_back(theirs);
  setup.inherit.push_back(hello.counters);
  if (hello.helper >= 0) setup.inherit.push_back(hello.helper);
  auto pid = spawn_self(setup);
  close(theirs);
  if (!pid) {
    close(ours);
    return fail(pid.error());
  }
  fcntl(ours, F_SETFL, O_NONBLOCK);
  std::unique_ptr<Child> child(new Child(hello, *pid, ours, now));
  child->enqueue(std::make_shared<const std::string>(encode(hello)));
  child->enqueue(std::move(bundle));
  child->flush();
  return child;
}

Child::Child(const Hello& hello, pid_t pid, int channel, TimePoint now)
    : started(now),
      heard(now),
      row(hello.row),
      slot_(hello.slot),
      generation_(hello.generation),
      pid_(pid),
      channel_(channel) {}

Child::~Child() { close_channel(); }

std::string Child::describe() const {
  return fmt::format("worker {} (generation {}, pid {})", slot_, generation_, pid_);
}

short Child::events() const {
  return static_cast<short>(outbox_.empty() ? POLLIN : POLLIN | POLLOUT);
}

void Child::send(const Message& message) {
  enqueue(std::make_shared<const std::string>(encode(message)));
  flush();
}

void Child::enqueue(std::shared_ptr<const std::string> frame) {
  if (channel_ >= 0) outbox_.push_back(std::move(frame));
}

void Child::flush() {
  while (!outbox_.empty()) {
    const std::string& frame = *outbox_.front();
    const ssize_t count =
        ::send(channel_, frame.data() + written_, frame.size() - written_, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) return outbox_.clear();  // it is going; its last words can still be read
    written_ += static_cast<std::size_t>(count);
    if (written_ < frame.size()) continue;
    outbox_.pop_front();
    written_ = 0;
  }
}

Result<std::vector<Message>> Child::receive(TimePoint now) {
  std::vector<Message> messages;
  std::array<char, 4096> buffer;
  while (channel_ >= 0) {
    const ssize_t count = recv(channel_, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    if (count <= 0) {
      close_channel();
      break;
    }
    decoder_.feed({buffer.data(), static_cast<std::size_t>(count)});
    for (;;) {
      auto message = decoder_.next();
      if (!message) {
        close_channel();
        return fail(message.error());
      }
      if (!*message) break;
      messages.push_back(std::move(**message));
    }
  }
  if (!messages.empty()) heard = now;
  return messages;
}

void Child::signal(int number) const { kill(pid_, number); }

void Child::close_channel() {
  if (channel_ >= 0) close(std::exchange(channel_, -1));
  outbox_.clear();
}

}  // namespace postern::daemon
