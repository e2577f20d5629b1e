#include "control_client.hpp"

#include <postern/policy/load.hpp>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace postern::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_octets = std::size_t{64} << 20;

class Socket {
 public:
  Socket() : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<void> connect_to(int fd, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(Errc::too_long, path);
  std::copy(path.begin(), path.end(), address.sun_path);
  const timeval patience{5, 0};  // for a place in its queue
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
  if (errno == ENOENT || errno == ECONNREFUSED) return fail(Errc::not_found, path);
  return fail_errno(errno, path);
}

// Nothing: the end.
Result<std::optional<std::string>> read_some(int fd, Clock::time_point end) {
  std::array<char, 65536> buffer;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd ready{fd, POLLIN, 0};
    const int count = left > 0 ? poll(&ready, 1, static_cast<int>(left)) : 0;
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return fail(Errc::timed_out, "posternd does not answer");
    const ssize_t octets = recv(fd, buffer.data(), buffer.size(), 0);
    if (octets < 0 && errno == EINTR) continue;
    if (octets < 0) return fail_errno(errno, "reading the answer");
    if (octets == 0) return std::nullopt;
    return std::string(buffer.data(), static_cast<std::size_t>(octets));
  }
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

Result<std::string> control_socket(const std::string& configuration) {
  auto bundle = policy::read_bundle(configuration);
  if (!bundle) return fail(bundle.error());
  return policy::load_master(*bundle).settings.control_socket;
}

Result<std::vector<std::string>> ask(const std::string& path, const std::string& command,
                                     std::chrono::seconds limit) {
  const Clock::time_point end = Clock::now() + limit;
  const Socket socket;
  auto connected = connect_to(socket.get(), path);
  if (!connected) return fail(connected.error());
  const std::string line = fmt::format("{{\"command\":\"{}\"}}\n", command);
  if (send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0)
    return fail_errno(errno, "sending the command");
  std::string text;
  for (;;) {
    auto more = read_some(socket.get(), end);
    if (!more) return fail(more.error());
    if (!*more) return lines_of(text);
    text += **more;
    if (text.size() > max_octets) return fail(Errc::too_long, "the answer has no end");
  }
}

}  // namespace postern::cli
