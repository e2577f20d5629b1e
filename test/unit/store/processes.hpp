// Other processes that have the store open, and waiting for what happens there.
#pragma once

#include <postern/coro/sleep.hpp>
#include <postern/coro/task.hpp>

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <utility>

namespace postern::store {

inline std::chrono::seconds patience() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it
  const char* times = std::getenv("POSTERN_PATIENCE");
  return std::chrono::seconds(60) * (times ? std::max(1, std::atoi(times)) : 1);
}

template <typename Condition>
void until(Condition condition) {
  const auto due = std::chrono::steady_clock::now() + patience();
  while (!condition()) {
    if (std::chrono::steady_clock::now() > due) throw std::runtime_error("it did not come to pass");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

inline coro::Task<void> sleep_a_turn() { (void)co_await coro::sleep(std::chrono::milliseconds(1)); }

// One octet at a time.
class Pipe {
 public:
  explicit Pipe(int fd) : fd_(fd) {}
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() { close(fd_); }
  void say(char octet) { (void)!send(fd_, &octet, 1, MSG_NOSIGNAL); }
  // '\0': the other end is gone, or says nothing for too long.
  char hear() {
    pollfd waiting{fd_, POLLIN, 0};
    const int limit = static_cast<int>(std::chrono::milliseconds(patience()).count());
    char octet = 0;
    if (poll(&waiting, 1, limit) != 1 || recv(fd_, &octet, 1, 0) != 1) return 0;
    return octet;
  }

 private:
  int fd_;
};

// A process that does `work` and ends with what it returns.
class Child {
 public:
  template <typename Work>
  explicit Child(Work work) : Child(open_pair(), std::move(work)) {}
  ~Child() { end(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Pipe& pipe() { return pipe_; }
  // Its status, when it ends by itself; -1 when by a signal.
  int status() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  void end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    status();
  }

 private:
  static std::pair<int, int> open_pair() {
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
      throw std::runtime_error("socketpair failed");
    return {fds[0], fds[1]};
  }
  template <typename Work>
  Child(std::pair<int, int> fds, Work work) : pipe_(fds.first) {
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) {
      close(fds.first);
      int status = 2;
      try {
        Pipe pipe(fds.second);
        status = work(pipe);
      } catch (...) {
      }
      _exit(status);
    }
    close(fds.second);
  }

  Pipe pipe_;
  pid_t pid_ = -1;
};

}  // namespace postern::store
