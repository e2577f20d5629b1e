#include "control.hpp"

#include <postern/base/json.hpp>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

namespace postern::daemon {
namespace {

constexpr mode_t mode = 0660;
constexpr std::size_t max_unread_octets = std::size_t{16} << 20;

bool address_of(const std::string& path, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return false;
  std::copy(path.begin(), path.end(), address.sun_path);
  return true;
}

int make_socket() { return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

const sockaddr* raw(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// What a process left that was killed goes; anything else stays.
Result<void> clear_way(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) return fail(Errc::exists, path + " is there and is no socket");
  const int probe = make_socket();
  if (probe < 0) return fail_errno(errno, "making a socket");
  const bool answered = connect(probe, raw(address), sizeof address) == 0;
  const int number = answered ? 0 : errno;
  close(probe);
  if (number == ENOENT) return {};
  if (number == EACCES) return fail_errno(number, path);
  if (number != ECONNREFUSED)  // EAGAIN: somebody is there, and busy
    return fail(Errc::exists, "another posternd listens on " + path);
  if (unlink(path.c_str()) != 0) return fail_errno(errno, "removing " + path);
  return {};
}

bool may_change(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == geteuid();
}

}  // namespace

std::string control_error(std::string_view text) {
  std::string line;
  json::Writer(line).begin().key("error").string(text).end();
  return line;
}

Result<Control> Control::open(const std::string& path) {
  sockaddr_un address{};
  if (!address_of(path, address))
    return fail(Errc::too_long,
                fmt::format("{}: longer than the {} octets that a socket's path may "
                            "have",
                            path, sizeof address.sun_path - 1));
  auto clear = clear_way(path, address);
  if (!clear) return fail(clear.error());
  mkdir(path.substr(0, path.rfind('/')).c_str(), 0755);
  const int listener = make_socket();
  if (listener < 0) return fail_errno(errno, "making a socket");
  struct stat status {};
  // The mode is the socket's before it has a name: there is no moment at which others may connect.
  const mode_t mask = umask(0);
  const bool bound =
      fchmod(listener, mode) == 0 && bind(listener, raw(address), sizeof address) == 0;
  const int number = errno;
  umask(mask);
  if (!bound || listen(listener, most_clients) != 0 || lstat(path.c_str(), &status) != 0) {
    const int why = bound ? errno : number;
    close(listener);
    return fail_errno(why, path);
  }
  return Control(path, listener, status.st_dev, status.st_ino);
}

Control::Control(Control&& other) noexcept
    : path_(std::move(other.path_)),
      listener_(std::exchange(other.listener_, -1)),
      device_(other.device_),
      inode_(other.inode_),
      clients_(std::move(other.clients_)),
      count_(other.count_) {
  other.clients_.clear();
}

Control::~Control() {
  for (const Client& client : clients_) close(client.socket);
  if (listener_ < 0) return;
  close(listener_);
  struct stat status {};
  if (lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_)
    unlink(path_.c_str());
}

short Control::events_of(const Client& client) const {
  int events = client.has_asked ? 0 : POLLIN;
  if (!client.output.empty()) events |= POLLOUT;
  return static_cast<short>(events);
}

void Control::watch(std::vector<pollfd>& polled) const {
  const bool room = clients_.size() < most_clients;  // without, they wait in the backlog
  polled.push_back({room ? listener_ : -1, POLLIN, 0});
  for (const Client& client : clients_) polled.push_back({client.socket, events_of(client), 0});
}

std::vector<Control::Command> Control::serve(const pollfd* polled, std::size_t count,
                                             TimePoint now) {
  std::vector<Command> commands;
  std::size_t i = 1;
  for (auto client = clients_.begin(); client != clients_.end() && i < count; ++i) {
    Step step = this->step(*client, polled[i].revents, now);
    if (now >= client->due) step = Step::gone;
    if (step == Step::asked)
      commands.push_back({client->id, std::move(client->input), client->may_change});
    if (step == Step::gone) close(client->socket);
    client = step == Step::gone ? clients_.erase(client) : std::next(client);
  }
  if (count > 0 && polled[0].revents != 0) accept_all(now);
  return commands;
}

Control::TimePoint Control::due() const {
  TimePoint due = TimePoint::max();
  for (const Client& client : clients_) due = std::min(due, client.due);
  return due;
}

void Control::accept_all(TimePoint now) {
  while (clients_.size() < most_clients) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) return;
    Client& client = clients_.emplace_back();
    client.id = ++count_;
    client.socket = socket;
    client.may_change = daemon::may_change(socket);
    client.due = now + patience;
  }
}

Control::Step Control::step(Client& client, short events, TimePoint now) {
  if (events & (POLLERR | POLLNVAL)) return Step::gone;
  if ((events & POLLHUP) && client.has_asked) return Step::gone;
  if ((events & POLLOUT) && !flush(client, now)) return Step::gone;
  const bool reads = (events & (POLLIN | POLLHUP)) && !client.has_asked;
  return reads ? read_line(client, now) : Step::wait;
}

Control::Step Control::read_line(Client& client, TimePoint now) {
  std::array<char, max_line_octets> buffer;
  const ssize_t count = recv(client.socket, buffer.data(), buffer.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return Step::wait;
  if (count <= 0) return Step::gone;
  client.input.append(buffer.data(), static_cast<std::size_t>(count));
  const std::size_t end = client.input.find('\n');
  if (end == std::string::npos && client.input.size() < max_line_octets) return Step::wait;
  client.has_asked = true;
  client.due = TimePoint::max();
  if (end == std::string::npos || end >= max_line_octets) {
    send_last(client.id, control_error("the line is too long"), now);
    return Step::wait;
  }
  client.input.resize(end);
  return Step::asked;
}

// False: the connection is done with.
bool Control::flush(Client& client, TimePoint now) {
  while (!client.output.empty()) {
    const ssize_t count =
        ::send(client.socket, client.output.data(), client.output.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == EAGAIN;
    client.output.erase(0, static_cast<std::size_t>(count));
    client.due = now + patience;
  }
  if (!client.ends) client.due = TimePoint::max();
  return !client.ends;
}

Control::Client* Control::find(std::uint64_t id) {
  const auto found = std::find_if(clients_.begin(), clients_.end(),
                                  [&](const Client& client) { return client.id == id; });
  return found == clients_.end() ? nullptr : &*found;
}

void Control::send(std::uint64_t id, std::string_view json, TimePoint now) {
  Client* client = find(id);
  if (!client || client->output.size() + json.size() > max_unread_octets) return;
  if (client->output.empty()) client->due = now + patience;
  client->output.append(json).append("\n");
}

void Control::send_last(std::uint64_t id, std::string_view json, TimePoint now) {
  send(id, json, now);
  if (Client* client = find(id)) client->ends = true;
}

}  // namespace postern::daemon
