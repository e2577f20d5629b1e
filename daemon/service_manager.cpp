#include "service_manager.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

namespace postern::daemon {
namespace {

constexpr int first_passed = 3;  // SD_LISTEN_FDS_START
constexpr int most_passed = 1000;

std::string take(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread as yet
  std::string text = value ? value : "";
  unsetenv(name);  // NOLINT(concurrency-mt-unsafe)
  return text;
}

std::optional<long> number(std::string_view text) {
  long value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) return {};
  return value;
}

// A variable of another process reaches us when that one executed us and did not know of it.
bool means_us(const std::string& pid) { return pid.empty() || number(pid) == getpid(); }

bool is_tcp_listener(int socket) {
  int listens = 0, type = 0, family = 0;
  socklen_t size = sizeof(int);
  return getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
         getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
         getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 &&
         (family == AF_INET || family == AF_INET6);
}

}  // namespace

ServiceManager::ServiceManager() : address_(take("NOTIFY_SOCKET")) {
  const std::string watchdog = take("WATCHDOG_USEC"), watched = take("WATCHDOG_PID");
  const std::string passed = take("LISTEN_FDS"), receiver = take("LISTEN_PID");
  take("LISTEN_FDNAMES");
  if (means_us(watched) && number(watchdog).value_or(0) > 0) {
    interval_ = std::chrono::microseconds(*number(watchdog) / 2);  // as sd_watchdog_enabled(3) says
    due_ = std::chrono::steady_clock::now();
  }
  if (!receiver.empty() && means_us(receiver))
    sockets_ = static_cast<int>(std::clamp<long>(number(passed).value_or(0), 0, most_passed));
}

void ServiceManager::ready(std::string_view status) {
  tell(fmt::format("READY=1\nSTATUS={}", status));
}

void ServiceManager::reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  tell(
      fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.tv_sec * 1'000'000LL + now.tv_nsec / 1000));
}

void ServiceManager::stopping() { tell("STOPPING=1\nSTATUS=finishing the sessions"); }

void ServiceManager::on_time(TimePoint now) {
  if (now < due_) return;
  due_ = now + interval_;
  tell("WATCHDOG=1");
}

std::vector<int> ServiceManager::take_sockets() {
  std::vector<int> sockets;
  for (int socket = first_passed; socket < first_passed + sockets_; ++socket) {
    if (!is_tcp_listener(socket)) continue;
    fcntl(socket, F_SETFD, FD_CLOEXEC);
    fcntl(socket, F_SETFL, O_NONBLOCK);
    sockets.push_back(socket);
  }
  sockets_ = 0;
  return sockets;
}

void ServiceManager::tell(std::string_view text) const {
  sockaddr_un address{};
  if (address_.empty() || address_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::copy(address_.begin(), address_.end(), address.sun_path);
  if (address_.front() == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  sendto(fd, text.data(), text.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
         size);
  close(fd);
}

}  // namespace postern::daemon
