#include <postern/net/socket_address.hpp>
#include <postern/net/sockets.hpp>

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace postern::net {
namespace {

tl::unexpected<Error> close_and_fail(int socket, const SocketAddress& address) {
  const int number = errno;
  close(socket);
  return fail_errno(number, fmt::format("listening on {}", address.text()));
}

// Not bound yet.
int make_socket(const SocketAddress& address) {
  const int family = address.ip.is_v4() ? AF_INET : AF_INET6;
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fd;
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  return fd;
}

}  // namespace

Result<void> probe_address(const SocketAddress& address) {
  const int fd = make_socket(address);
  if (fd < 0) return fail_errno(errno, "making a socket");
  const RawAddress raw(address);
  if (bind(fd, raw.get(), raw.size()) != 0) return close_and_fail(fd, address);
  close(fd);
  return {};
}

Result<int> make_listening_socket(const SocketAddress& address) {
  const int fd = make_socket(address);
  if (fd < 0) return fail_errno(errno, "making a socket");
  const RawAddress raw(address);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // inherited by what is accepted
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
      bind(fd, raw.get(), raw.size()) != 0 || listen(fd, listen_backlog) != 0)
    return close_and_fail(fd, address);
  return fd;
}

Result<SocketAddress> local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0)
    return fail_errno(errno, "asking for a socket's address");
  return from_raw(storage);
}

}  // namespace postern::net
