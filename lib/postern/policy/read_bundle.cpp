// read_bundle: the one place where configuration files are opened.
#include <postern/policy/bundle.hpp>
#include <postern/policy/certificate_files.hpp>
#include <postern/policy/list_directory.hpp>
#include <postern/policy/load.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <unordered_set>

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
  if (file.kind == File::Kind::list && S_ISDIR(status.st_mode)) {
    auto names = names_in_directory(file.path, limit);
    if (!names) file.error = names.error().text;
    if (names) file.content = std::move(*names);
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

// The names of domains/*.toml, sorted; `error` is set where the folder is there and cannot be read.
std::vector<std::string> domain_files(const std::filesystem::path& folder, std::string& error) {
  std::vector<std::string> paths;
  std::error_code failure;
  std::filesystem::directory_iterator entry(folder, failure);
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    if (name.ends_with(".toml") && !name.starts_with('.')) paths.push_back(entry->path().string());
  }
  if (failure && failure != std::errc::no_such_file_or_directory) error = failure.message();
  std::sort(paths.begin(), paths.end());
  return paths;
}

// The files of a folder of lists, sorted; hidden ones are left to whoever hides them.
std::vector<std::string> files_in(const std::string& folder, std::string& error) {
  std::vector<std::string> paths;
  std::error_code failure;
  std::filesystem::directory_iterator entry(folder, failure);
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with('.') && entry->is_regular_file(failure)) paths.push_back(folder + name);
  }
  if (failure) error = failure.message();
  std::sort(paths.begin(), paths.end());
  return paths;
}

// Fills a bundle within its limits.
class Collector {
 public:
  explicit Collector(Bundle& bundle) : bundle_(bundle) {
    for (const File& file : bundle.files) count(file);
  }

  // Adds a file unless it is there. Of too many, the first one more is an error and the rest is
  // left out.
  void add(File::Kind kind, const std::string& path) {
    auto& number = numbers_[static_cast<std::size_t>(kind)];
    const std::size_t most = most_of[static_cast<std::size_t>(kind)];
    if (number > most || !seen_.insert(normal(path)).second) return;
    File file{kind, path, "", ""};
    if (number == most) {
      file.error = fmt::format("more than {} files of this kind", most);
    } else {
      const std::size_t limit = limit_of(kind);
      // Names and lengths need room as well: a tenth is left to them.
      read_into(file, std::min(limit, max_bundle_octets / 10 * 9 - octets_));
    }
    ++number;
    octets_ += file.content.size();
    bundle_.files.push_back(std::move(file));
  }

  void add_error(File::Kind kind, std::string path, std::string error) {
    bundle_.files.push_back({kind, std::move(path), "", std::move(error)});
  }

 private:
  static constexpr std::array<std::size_t, 4> most_of{max_settings_files, max_list_files,
                                                      max_domain_files, max_certificate_files};

  static std::size_t limit_of(File::Kind kind) {
    if (kind == File::Kind::certificate) return max_certificate_file_octets;
    return kind == File::Kind::list ? max_list_file_octets : max_settings_file_octets;
  }

  static std::string normal(const std::string& path) {
    return std::filesystem::path(path).lexically_normal().string();
  }

  void count(const File& file) {
    seen_.insert(normal(file.path));
    ++numbers_[static_cast<std::size_t>(file.kind)];
    octets_ += file.content.size();
  }

  Bundle& bundle_;
  std::unordered_set<std::string> seen_;
  std::array<std::size_t, 4> numbers_{};
  std::size_t octets_ = 0;
};

void collect_lists(const Bundle& bundle, Collector& collector) {
  for (const std::string& list : list_files(bundle)) {
    if (!list.ends_with('/')) {
      collector.add(File::Kind::list, list);
      continue;
    }
    std::string failure;
    for (const std::string& file : files_in(list, failure)) collector.add(File::Kind::list, file);
    collector.add_error(File::Kind::list, list, failure);  // none: it was looked into
  }
}

std::int64_t wall_nanoseconds() {
  return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

bool File::is_missing() const { return error == reason(ENOENT); }

Result<Bundle> read_bundle(const std::string& path) {
  const std::int64_t read_at = wall_nanoseconds();
  File root{File::Kind::settings, path, "", ""};
  read_into(root, max_settings_file_octets);
  if (!root.error.empty())
    return fail(Errc::not_found,
                fmt::format("{}: {}; name the configuration file with --config", path, root.error));
  Bundle bundle;
  bundle.read_at = read_at;
  bundle.root = path;
  const std::filesystem::path as_path(path);
  std::error_code ignored;  // of a working directory that is gone: then paths stay relative
  bundle.folder = std::filesystem::absolute(as_path, ignored).parent_path().string();
  bundle.files.push_back(std::move(root));
  Collector collector(bundle);
  for (const std::string& pattern : include_patterns(bundle))
    for (const std::string& file : expand((as_path.parent_path() / pattern).string()))
      collector.add(File::Kind::settings, file);
  const std::filesystem::path domains = as_path.parent_path() / "domains";
  std::string error;
  for (const std::string& file : domain_files(domains, error))
    collector.add(File::Kind::domain, file);
  if (!error.empty()) collector.add_error(File::Kind::domain, domains.string(), error);
  collect_lists(bundle, collector);
  for (const std::string& certificate : certificate_paths(tls_settings(bundle)))
    collector.add(File::Kind::certificate, certificate);
  for (const std::string& authorities : authority_files(bundle))
    collector.add(File::Kind::certificate, authorities);
  return bundle;
}

Bundle read_domain_file(const std::string& path, const std::string& folder) {
  Bundle bundle;
  bundle.root = path;
  bundle.folder = folder;
  Collector collector(bundle);
  collector.add(File::Kind::domain, path);
  collect_lists(bundle, collector);
  return bundle;
}

File read_list_file(const std::string& path) {
  File file{File::Kind::list, path, "", ""};
  read_into(file, max_list_file_octets);
  return file;
}

std::vector<File> read_certificate_files(const std::vector<std::string>& paths) {
  std::vector<File> files;
  for (const std::string& path : paths) {
    File& file = files.emplace_back(File{File::Kind::certificate, path, "", ""});
    read_into(file, max_certificate_file_octets);
  }
  return files;
}

}  // namespace postern::policy
