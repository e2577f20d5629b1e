// The configuration as bytes: all its files, read once, so that the master, the child that checks
// it and every worker judge the same text whatever happens to the files meanwhile.
#pragma once

#include <postern/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::policy {

constexpr std::size_t max_settings_file_octets = std::size_t{4} << 20;
constexpr std::size_t max_list_file_octets = std::size_t{256} << 20;
constexpr std::size_t max_bundle_octets = std::size_t{512} << 20;
constexpr std::size_t max_settings_files = 1000;
constexpr std::size_t max_domain_files = 100'000;
constexpr std::size_t max_list_files = 100'000;
constexpr std::size_t max_certificate_files = 100'000;
constexpr std::size_t max_certificate_file_octets = std::size_t{1} << 20;
// One more of each kind tells that there were too many.
constexpr std::size_t max_bundle_files =
    max_settings_files + max_domain_files + max_list_files + max_certificate_files + 4;

struct File {
  enum class Kind : std::uint8_t {
    settings,
    list,
    domain,       // domains/DOMAIN.toml
    certificate,  // certificates and keys, in PEM form
  };

  Kind kind = Kind::settings;
  std::string path;  // lists and certificates: absolute; others: relative to where the main file
                     // was named from
  std::string content;
  std::string error;  // why it could not be read; load() tells it where the file is named

  bool is_missing() const;  // the error is that there is none
};

struct Bundle {
  std::string root;          // path of postern.toml as it was given
  std::string folder;        // the absolute folder of it, where relative paths start
  std::int64_t read_at = 0;  // ns since 1970, before the first file was opened; 0: from memory
  std::vector<File>
      files;  // the main file, then by name the included ones, domains, lists, certificates

  const File* find_list(std::string_view path) const;
  std::string serialize() const;

  // The bundle of one main file in memory; `folder` as above.
  static Bundle of(std::string root, std::string folder, std::string content);
  // Errors: malformed, too_long. Bytes from a pipe are no more trusted than a file.
  static Result<Bundle> parse(std::string_view bytes);
};

// Reads the main file, the files that its `include` patterns match, domains/*.toml beside it, and
// the list files that all of them name, with what these include.
// Waits for the disk: for start-up and reload only. Errors: the main file cannot be read; the text
// is a whole line. What else is wrong is kept for load().
Result<Bundle> read_bundle(const std::string& path);

// One file of domains/ as the first, and the list files that it names; `folder` as above. Waits for
// the disk.
Bundle read_domain_file(const std::string& path, const std::string& folder);

// A list's file, or directory, as read_bundle() reads it. Waits for the disk.
File read_list_file(const std::string& path);
// The list at `path`, absolute, and behind it what it includes, as read_bundle() does. The file at
// `known` has `content`. Waits for the disk.
std::vector<File> read_list_files(const std::string& path);
std::vector<File> read_list_files(const std::string& path, const std::string& known,
                                  std::string content);

// The certificate files at these paths, as read_bundle() does. Waits for the disk.
std::vector<File> read_certificate_files(const std::vector<std::string>& paths);

}  // namespace postern::policy
