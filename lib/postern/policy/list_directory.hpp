// A directory in the place of a list's file: the names of its entries are the list.
#pragma once

#include <postern/base/result.hpp>

#include <cstddef>
#include <string>

namespace postern::policy {

// The names of what is in it, sorted, one a line; without those that begin with a dot. Waits for
// the disk. Errors: io; too_long (more than `limit` octets).
Result<std::string> names_in_directory(const std::string& path, std::size_t limit);

}  // namespace postern::policy
