// From paths to bundles.
#include <postern/policy/bundle.hpp>
#include <postern/policy/certificate_files.hpp>
#include <postern/policy/collector.hpp>
#include <postern/policy/load.hpp>
#include <postern/policy/read_file.hpp>

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>

namespace postern::policy {
namespace {

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

std::int64_t wall_nanoseconds() {
  return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

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
  for (const std::string& list : list_files(bundle)) collector.add_list(list);
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
  for (const std::string& list : list_files(bundle)) collector.add_list(list);
  return bundle;
}

File read_list_file(const std::string& path) {
  File file{File::Kind::list, path, "", ""};
  read_into(file, max_list_file_octets);
  return file;
}

std::vector<File> read_list_files(const std::string& path) {
  Bundle bundle;
  Collector(bundle).add_list(path);
  return std::move(bundle.files);
}

std::vector<File> read_list_files(const std::string& path, const std::string& known,
                                  std::string content) {
  Bundle bundle;
  Collector collector(bundle);
  collector.know(known, std::move(content));
  collector.add_list(path);
  return std::move(bundle.files);
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
