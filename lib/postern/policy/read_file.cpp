#include <postern/policy/list_directory.hpp>
#include <postern/policy/read_file.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace postern::policy {
namespace {

std::string reason(int number) { return std::generic_category().message(number); }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

void read_folder_into(File& file, std::size_t limit) {
  auto names = names_in_directory(file.path, limit);
  if (!names) file.error = names.error().text;
  if (names) file.content = std::move(*names);
}

}  // namespace

bool File::is_missing() const { return error == reason(ENOENT); }

FileRights read_into(File& file, std::size_t limit) {
  const Descriptor descriptor(open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (descriptor.get() < 0 || fstat(descriptor.get(), &status) != 0) {
    file.error = reason(errno);
    return {};
  }
  const FileRights rights{status.st_uid, status.st_gid, status.st_mode};
  if (file.kind == File::Kind::list && S_ISDIR(status.st_mode)) {
    read_folder_into(file, limit);
    return rights;
  }
  if (!S_ISREG(status.st_mode)) {
    file.error = "not a regular file";
    return rights;
  }
  if (static_cast<std::uintmax_t>(status.st_size) > limit) {
    file.error = fmt::format("larger than {} octets", limit);
    return rights;
  }
  // One octet more than the limit shows a file that grows under our hands.
  file.content.resize(std::min(limit, static_cast<std::size_t>(status.st_size)) + 1);
  std::size_t filled = 0;
  while (filled < file.content.size()) {
    const ssize_t got =
        read(descriptor.get(), file.content.data() + filled, file.content.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) file.error = reason(errno);
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (filled == file.content.size()) file.error = "it changed while it was read";
  file.content.resize(file.error.empty() ? filled : 0);
  return rights;
}

FileRights rights_of(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {0, 0, S_IWOTH};
  return {status.st_uid, status.st_gid, status.st_mode};
}

bool may_include(const FileRights& list, const FileRights& included) {
  if ((included.mode & S_IROTH) != 0) return true;
  if ((list.mode & S_IWOTH) != 0) return false;
  if ((list.mode & S_IWGRP) != 0 && list.group != 0)
    return list.group == included.group && (included.mode & S_IRGRP) != 0;
  return list.owner == 0 || list.owner == geteuid() || list.owner == included.owner;
}

std::vector<std::string> files_in(const std::string& folder, std::string& error) {
  std::vector<std::string> names;
  std::error_code failure;
  std::filesystem::directory_iterator entry(folder, failure);
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    std::string name = entry->path().filename().string();
    if (name.starts_with('.') || name.find('\n') != std::string::npos) continue;
    std::error_code dangling;  // a link to nothing is no file
    if (entry->is_regular_file(dangling)) names.push_back(std::move(name));
  }
  if (failure) error = failure.message();
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace postern::policy
