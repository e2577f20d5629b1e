// Hears at once that something in a folder has changed; how, is for the listener to find out.
#pragma once

#include <postern/base/result.hpp>
#include <postern/net/loop.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace postern::net {

class FolderListener {
 public:
  // The file of this name was made, written to, renamed or removed; or the folder itself. Often
  // several calls for one change, and while a file is still being written.
  virtual void folder_changed(std::string_view name) = 0;

 protected:
  ~FolderListener() = default;
};

// Of what is in the folder itself, not below. Other machines' changes to a network file system may
// stay unheard.
class FolderWatch {
 public:
  // Errors: not_found, io (also when the system watches as much as it may).
  static Result<std::unique_ptr<FolderWatch>> open(Loop& loop, const std::string& path,
                                                   FolderListener& listener);
  virtual ~FolderWatch() = default;
};

}  // namespace postern::net
