// The files of lines that plugins write: each has a thread, as the log has.
#pragma once

#include <postern/base/log_writer.hpp>
#include <postern/plugin/line_files.hpp>

#include <map>
#include <memory>
#include <string>

namespace postern::daemon {

class LineFiles final : public plugin::LineFiles {
 public:
  LineFiles();
  ~LineFiles();  // writes what is queued, for at most a second each
  LineFiles(const LineFiles&) = delete;
  LineFiles& operator=(const LineFiles&) = delete;

  Result<plugin::LineFile*> open(const std::string& path) override;
  void reopen();
  // Tells of lines that have been dropped since it was asked last.
  void tell_dropped(Log& log);

 private:
  class File;
  std::map<std::string, std::unique_ptr<File>, std::less<>> files_;
};

}  // namespace postern::daemon
