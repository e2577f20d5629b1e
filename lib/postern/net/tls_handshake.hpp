// The handshake as a task; inside `net` only.
#pragma once

#include <postern/net/tls_codec.hpp>

namespace postern::net {

// On success the stream goes on through `codec`; otherwise it sends nothing any more.
coro::Task<Result<TlsFacts>> handshake(Stream& stream, std::unique_ptr<TlsCodec> codec,
                                       TlsStart start, Duration limit);

}  // namespace postern::net
