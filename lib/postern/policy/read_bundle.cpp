// read_bundle: the one place where configuration files are opened.
#include <postern/policy/bundle.hpp>
#include <postern/policy/load.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
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

// Sets `content` or `error`. A pipe or device is refused, not waited for.
void read_into(File& file, std::size_t limit) {
  const Descriptor descriptor(open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (descriptor.get() < 0 || fstat(descriptor.get(), &status) != 0) {
    file.error = reason(errno);
    return;
  }
  if (!S_ISREG(status.st_mode)) {
    file.error = "not a regular file";
    return;
  }
  if (static_cast<std::uintmax_t>(status.st_size) > limit) {
    file.error = fmt::format("larger than {} octets", limit);
    return;
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
}

// The files of one pattern by name; a name without wildcards is a file that must be there.
std::vector<std::string> expand(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  if (paths.empty() && pattern.find_first_of("*?[") == std::string::npos) paths.push_back(pattern);
  return paths;
}

bool has(const Bundle& bundle, const std::string& path) {
  return std::any_of(bundle.files.begin(), bundle.files.end(), [&](const File& file) {
    return std::filesystem::path(file.path).lexically_normal() ==
           std::filesystem::path(path).lexically_normal();
  });
}

// Adds a file unless it is there, or unless the bundle is full, which its entry then says.
void add(Bundle& bundle, File::Kind kind, const std::string& path, std::size_t& octets) {
  if (has(bundle, path) || bundle.files.size() >= max_bundle_files) return;
  File file{kind, path, "", ""};
  const std::size_t limit =
      kind == File::Kind::list ? max_list_file_octets : max_settings_file_octets;
  // Names and lengths need room as well: a tenth is left to them.
  read_into(file, std::min(limit, max_bundle_octets / 10 * 9 - octets));
  octets += file.content.size();
  bundle.files.push_back(std::move(file));
}

}  // namespace

Result<Bundle> read_bundle(const std::string& path) {
  File root{File::Kind::settings, path, "", ""};
  read_into(root, max_settings_file_octets);
  if (!root.error.empty())
    return fail(Errc::not_found,
                fmt::format("{}: {}; name the configuration file with --config", path, root.error));
  Bundle bundle;
  bundle.root = path;
  const std::filesystem::path as_path(path);
  std::error_code ignored;  // of a working directory that is gone: then paths stay relative
  bundle.folder = std::filesystem::absolute(as_path, ignored).parent_path().string();
  std::size_t octets = root.content.size();
  bundle.files.push_back(std::move(root));
  for (const std::string& pattern : include_patterns(bundle))
    for (const std::string& file : expand((as_path.parent_path() / pattern).string()))
      add(bundle, File::Kind::settings, file, octets);
  for (const std::string& list : list_files(bundle)) add(bundle, File::Kind::list, list, octets);
  return bundle;
}

}  // namespace postern::policy
