// Files of lines, for plugins that write one of their own beside the log.
//
//   auto* files = services().find<LineFiles>("postern");
//   auto file = files->open(path);        // at the worker's first tick
//   if (file) (*file)->write(line);
#pragma once

#include <postern/base/result.hpp>
#include <postern/plugin/services.hpp>

#include <string>
#include <string_view>

namespace postern::plugin {

// Lines are appended whole, whichever of the workers writes them. It never waits: what the disk
// does not take stays in a bounded queue, and what that does not take is dropped, and the log tells
// how many lines that were.
class LineFile {
 public:
  virtual void write(std::string_view line) = 0;  // without its end

 protected:
  ~LineFile() = default;
};

// Provided by the worker as "postern".
struct LineFiles : Service<"postern.line_files", 1> {
  // The file at `path`, made where there is none, for its owner to write and his group to read;
  // opened anew at SIGUSR1, as the log is. The same path gives the same file, which lives as long
  // as the worker. This opens a file: not for each message. Errors: permission, not_found, io.
  virtual Result<LineFile*> open(const std::string& path) = 0;

 protected:
  ~LineFiles() = default;
};

}  // namespace postern::plugin
