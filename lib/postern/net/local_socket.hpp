// Unix sockets of this machine's programs, as streams; inside `net` only.
#pragma once

#include <postern/base/result.hpp>

#include <string>

namespace postern::net {

// A socket that is connected to the one at `path`: such a connect is done at once or not at all.
// Errors: busy (its queue is full now), too_long, not_found, permission, refused, descriptors, io.
Result<int> connect_local(const std::string& path);

}  // namespace postern::net
