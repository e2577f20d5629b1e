// Where files of the configuration are opened. Waits for the disk.
#pragma once

#include <postern/policy/bundle.hpp>

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace postern::policy {

// Who may read and write a file.
struct FileRights {
  uid_t owner = 0;
  gid_t group = 0;
  mode_t mode = 0;
};

// Sets `content`, of at most `limit` octets, or `error`. A pipe or device is refused, not waited
// for. In the place of a list's file there may be a folder: its content is the names in it.
FileRights read_into(File& file, std::size_t limit);

// Of what is not there: as if everybody might write to it.
FileRights rights_of(const std::string& path);

// Whether the lines of `included` may count in `list`. Whoever may write to a list decides what it
// includes, and so hears of it what is no entry; posternd may read more than he.
bool may_include(const FileRights& list, const FileRights& included);

// The names of the files in a folder, sorted; without hidden ones, which are left to whoever hides
// them.
std::vector<std::string> files_in(const std::string& folder, std::string& error);

}  // namespace postern::policy
