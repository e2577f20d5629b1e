// What tells one content of a file from another without reading it.
#pragma once

#include <postern/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::daemon {

struct Stamp {
  std::int64_t changed = 0;  // ns since 1970: the later of content and status
  std::uint64_t inode = 0;
  std::int64_t octets = -1;  // -1: it is not there, or cannot be seen

  bool is_there() const { return octets >= 0; }
  bool operator==(const Stamp&) const = default;
};

// By name, sorted, each once.
using Stamps = std::vector<std::pair<std::string, Stamp>>;

// All of these wait for the disk.
Stamp stamp_of(const std::string& path);
Stamps stamps_of(std::vector<std::string> paths);
// Of the files in a folder that end like this, hidden ones apart; without the folder's name. A
// folder that is not there has none. Errors: io, when it cannot be read.
Result<Stamps> stamps_in(const std::string& folder, std::string_view suffix);

// Where `name` stands, or would stand.
Stamps::const_iterator find(const Stamps& stamps, const std::string& name);
// Whether the stamp of `name` is another from now on; what is not there is left out.
bool replace(Stamps& stamps, const std::string& name, const Stamp& stamp);

// The names that one has and the other has not, or has with another stamp.
std::vector<std::string> differences(const Stamps& before, const Stamps& now);

}  // namespace postern::daemon
