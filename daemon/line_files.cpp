#include "line_files.hpp"

#include <utility>

namespace postern::daemon {

class LineFiles::File final : public plugin::LineFile {
 public:
  explicit File(LogTarget target)
      : writer_(std::move(target), {.format = LogWriter::Format::plain}) {
    writer_.start();
  }

  void write(std::string_view line) override { writer_.write(Level::info, line); }
  void reopen() { writer_.reopen(); }
  std::uint64_t newly_dropped() {
    const std::uint64_t all = writer_.dropped();
    return all - std::exchange(told_, all);
  }

 private:
  LogWriter writer_;
  std::uint64_t told_ = 0;  // lines
};

LineFiles::LineFiles() = default;
LineFiles::~LineFiles() = default;

Result<plugin::LineFile*> LineFiles::open(const std::string& path) {
  const auto found = files_.find(path);
  if (found != files_.end()) return found->second.get();
  auto target = LogTarget::open("file:" + path);
  if (!target) return fail(target.error());
  auto& file = files_[path];
  file = std::make_unique<File>(std::move(*target));
  return file.get();
}

void LineFiles::reopen() {
  for (auto& [path, file] : files_) file->reopen();
}

void LineFiles::tell_dropped(Log& log) {
  for (auto& [path, file] : files_)
    if (const std::uint64_t lines = file->newly_dropped(); lines > 0)
      log.warning("{}: {} lines were dropped: the file was blocked, or its disk full", path, lines);
}

}  // namespace postern::daemon
