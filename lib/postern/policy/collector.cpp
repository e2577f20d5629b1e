#include <postern/policy/collector.hpp>
#include <postern/policy/list_include.hpp>

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

namespace postern::policy {
namespace {

constexpr std::array<std::size_t, 4> most_of{max_settings_files, max_list_files, max_domain_files,
                                             max_certificate_files};

std::size_t limit_of(File::Kind kind) {
  if (kind == File::Kind::certificate) return max_certificate_file_octets;
  return kind == File::Kind::list ? max_list_file_octets : max_settings_file_octets;
}

}  // namespace

Collector::Collector(Bundle& bundle) : bundle_(bundle) {
  for (const File& file : bundle.files) count(file);
}

void Collector::count(const File& file) {
  is_new(file.kind, file.path);
  ++numbers_[static_cast<std::size_t>(file.kind)];
  octets_ += file.content.size();
}

// The same file may be of two kinds: a list must not be in the way of a certificate.
bool Collector::is_new(File::Kind kind, const std::string& path) {
  return seen_.insert(static_cast<char>('0' + static_cast<int>(kind)) + plain_path(path)).second;
}

FileRights Collector::read(File::Kind kind, const std::string& path) {
  auto& number = numbers_[static_cast<std::size_t>(kind)];
  const std::size_t most = most_of[static_cast<std::size_t>(kind)];
  if (number > most || !is_new(kind, path)) return {};
  File file{kind, path, "", ""};
  FileRights rights;
  if (number == most) {
    file.error = fmt::format("more than {} files of this kind", most);
  } else if (kind == File::Kind::list && path == known_.path) {
    file = known_;
    rights = rights_of(path);
  } else {
    // Names and lengths need room as well: a tenth is left to them.
    rights = read_into(file, std::min(limit_of(kind), max_bundle_octets / 10 * 9 - octets_));
  }
  ++number;
  octets_ += file.content.size();
  bundle_.files.push_back(std::move(file));
  return rights;
}

void Collector::add_error(File::Kind kind, std::string path, std::string error) {
  bundle_.files.push_back({kind, std::move(path), "", std::move(error)});
}

// What a bundle says about lists beside them; more than fit is left out.
void Collector::remark(File file) {
  auto& number = numbers_[static_cast<std::size_t>(File::Kind::list)];
  if (number >= max_list_files || !is_new(File::Kind::list, file.path)) return;
  ++number;
  octets_ += file.content.size();
  bundle_.files.push_back(std::move(file));
}

void Collector::know(std::string path, std::string content) {
  known_ = {File::Kind::list, std::move(path), std::move(content), ""};
}

void Collector::add_list(const std::string& path) {
  if (path.ends_with('/'))
    for (const std::string& file : read_folder(path)) read_list(file);
  else
    read_list(path);
  while (!to_look_through_.empty()) {
    const List list = to_look_through_.back();
    to_look_through_.pop_back();
    for (const std::string& named : included_paths(bundle_.files[list.file])) include(list, named);
  }
}

void Collector::read_list(const std::string& path) {
  const std::size_t before = bundle_.files.size();
  const FileRights rights = read(File::Kind::list, path);
  if (bundle_.files.size() > before && !S_ISDIR(rights.mode))
    to_look_through_.push_back({before, rights});
}

// The paths of the files in `path`, which ends in a slash; their names are its content.
std::vector<std::string> Collector::read_folder(const std::string& path) {
  File folder{File::Kind::list, path, "", ""};
  std::vector<std::string> paths;
  for (const std::string& name : files_in(path, folder.error)) {
    paths.push_back(path + name);
    folder.content += name + '\n';
  }
  remark(std::move(folder));
  return paths;
}

void Collector::include(const List& from, const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return read_list(path);  // which tells why
  if (S_ISDIR(status.st_mode)) {
    for (const std::string& file : read_folder(path + '/')) include(from, file);
  } else if (may_include(from.rights, rights_of(path))) {
    read_list(path);
  } else {
    remark({File::Kind::list, refusal_name(bundle_.files[from.file].path, path), "",
            "whoever may write to this list may not read that"});
  }
}

}  // namespace postern::policy
