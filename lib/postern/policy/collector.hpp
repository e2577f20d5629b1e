// Fills a bundle with files, within its limits.
#pragma once

#include <postern/policy/bundle.hpp>
#include <postern/policy/read_file.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <unordered_set>
#include <vector>

namespace postern::policy {

class Collector {
 public:
  explicit Collector(Bundle& bundle);

  // Adds a file unless it is there. Of too many, the first one more is an error and the rest is
  // left out.
  void add(File::Kind kind, const std::string& path) { read(kind, path); }
  // The list at `path`, with all that it includes; of "path/", a folder, each file in it.
  void add_list(const std::string& path);
  // From now on the list at `path` has this content, whatever is on the disk.
  void know(std::string path, std::string content);
  void add_error(File::Kind kind, std::string path, std::string error);

 private:
  struct List {
    std::size_t file;  // of the bundle
    FileRights rights;
  };

  void count(const File& file);
  bool is_new(File::Kind kind, const std::string& path);
  void remark(File file);
  FileRights read(File::Kind kind, const std::string& path);
  void read_list(const std::string& path);
  std::vector<std::string> read_folder(const std::string& path);
  void include(const List& from, const std::string& path);

  Bundle& bundle_;
  File known_;
  std::unordered_set<std::string> seen_;
  std::vector<List> to_look_through_;
  std::array<std::size_t, 4> numbers_{};
  std::size_t octets_ = 0;
};

}  // namespace postern::policy
