#include <postern/net/disk_files.hpp>
#include <postern/net/pool.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace postern::net {
namespace {

constexpr mode_t file_mode = 0600;
constexpr mode_t directory_mode = 0700;

Result<void> write_all(int fd, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = write(fd, octets.data(), octets.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(errno, "writing a file");
    octets.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<std::string> read_some(int fd, std::uint64_t offset, std::size_t most) {
  std::string octets(most, '\0');
  std::size_t have = 0;
  while (have < most) {
    const ssize_t count =
        pread(fd, octets.data() + have, most - have, static_cast<off_t>(offset + have));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno(errno, "reading a file");
    if (count == 0) break;
    have += static_cast<std::size_t>(count);
  }
  octets.resize(have);
  return octets;
}

Result<void> sync_descriptor(int fd) {
  if (fsync(fd) != 0) return fail_errno(errno, "making a file durable");
  return {};
}

Result<int> open_new(const std::string& path) {
  const int fd =
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file_mode);
  if (fd < 0) return fail_errno(errno, fmt::format("creating {}", path));
  return fd;
}

Result<int> open_unnamed(const std::string& directory) {
  int fd = open(directory.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, file_mode);
  if (fd >= 0) return fd;
  if (errno == EOPNOTSUPP || errno == EISDIR) {  // a file system without O_TMPFILE
    std::string path = directory + "/.postern-XXXXXX";
    fd = mkostemp(path.data(), O_CLOEXEC);
    if (fd >= 0) unlink(path.c_str());
  }
  if (fd < 0) return fail_errno(errno, fmt::format("creating a file in {}", directory));
  return fd;
}

Result<void> rename_new(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno == EINVAL) {  // a file system without RENAME_NOREPLACE
    if (link(from.c_str(), to.c_str()) == 0) {
      unlink(from.c_str());
      return {};
    }
  }
  return fail_errno(errno, fmt::format("renaming {} to {}", from, to));
}

Result<void> sync_path(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail_errno(errno, fmt::format("opening {}", path));
  auto synced = sync_descriptor(fd);
  close(fd);
  return synced;
}

Result<void> make_path(const std::string& path) {
  std::string partial;
  for (const auto& part : std::filesystem::path(path)) {
    partial = (std::filesystem::path(partial) / part).string();
    if (mkdir(partial.c_str(), directory_mode) != 0 && errno != EEXIST)
      return fail_errno(errno, fmt::format("making the directory {}", partial));
  }
  struct stat found {};  // what was there already may be a file
  if (stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) return {};
  return fail_errno(EEXIST, fmt::format("making the directory {}", path));
}

class DiskFile final : public File {
 public:
  DiskFile(Loop& loop, int fd) : loop_(loop), fd_(fd) {}
  ~DiskFile() override { close_on_pool(loop_, fd_); }

  coro::Task<Result<void>> write(std::string octets) override {
    auto work = [fd = fd_, data = std::move(octets)] { return write_all(fd, data); };
    return offload(loop_, std::move(work));
  }
  coro::Task<Result<std::string>> read(std::uint64_t offset, std::size_t most) override {
    return offload(loop_, [fd = fd_, offset, most] { return read_some(fd, offset, most); });
  }
  coro::Task<Result<void>> sync() override {
    return offload(loop_, [fd = fd_] { return sync_descriptor(fd); });
  }

 private:
  Loop& loop_;
  int fd_;
};

coro::Task<Result<FilePtr>> open_on_pool(Loop& loop, Result<int> (*open_file)(const std::string&),
                                         std::string path) {
  auto work = [open_file, path = std::move(path)] { return open_file(path); };
  auto fd = co_await offload(loop, std::move(work));
  if (!fd) co_return fail(fd.error());
  FilePtr file = std::make_unique<DiskFile>(loop, *fd);
  co_return file;
}

}  // namespace

coro::Task<Result<FilePtr>> DiskFiles::create(std::string path) {
  return open_on_pool(loop_, open_new, std::move(path));
}

coro::Task<Result<FilePtr>> DiskFiles::create_unnamed(std::string directory) {
  return open_on_pool(loop_, open_unnamed, std::move(directory));
}

coro::Task<Result<void>> DiskFiles::rename(std::string from, std::string to) {
  return offload(loop_,
                 [from = std::move(from), to = std::move(to)] { return rename_new(from, to); });
}

coro::Task<Result<void>> DiskFiles::remove(std::string path) {
  return offload(loop_, [path = std::move(path)]() -> Result<void> {
    if (unlink(path.c_str()) != 0) return fail_errno(errno, fmt::format("removing {}", path));
    return {};
  });
}

coro::Task<Result<void>> DiskFiles::sync_directory(std::string path) {
  return offload(loop_, [path = std::move(path)] { return sync_path(path); });
}

coro::Task<Result<void>> DiskFiles::make_directory(std::string path) {
  return offload(loop_, [path = std::move(path)] { return make_path(path); });
}

}  // namespace postern::net
