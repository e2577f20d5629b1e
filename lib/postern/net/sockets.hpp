// Listening sockets, made once by the master and handed to workers.
#pragma once

#include <postern/base/ip.hpp>

namespace postern::net {

inline constexpr int listen_backlog = 4096;

// A bound, listening, non-blocking socket with SO_REUSEPORT, for one of several workers; port 0
// lets the system choose. It is not inherited by programs that are executed. Errors: the system's,
// with the address in the text.
Result<int> make_listening_socket(const SocketAddress& address);

// Whether nobody listens there: SO_REUSEPORT would let us share the port with another program of
// the same user. Nothing is left behind. Errors: exists (somebody does), permission, unreachable,
// ...; the text names the address.
Result<void> probe_address(const SocketAddress& address);

Result<SocketAddress> local_address(int socket);

}  // namespace postern::net
