// `$include FILE` as a line in the file of a list, as qpsmtpd has it: the lines of FILE count as if
// they stood there. A relative name starts at the folder of the file that has the line. Of a folder
// all files count, in the order of their names, but for those that begin with a dot. A blank and
// `#` end the line.
//
// A file counts once in a list: a second time its lines would change nothing. What cannot be
// included is told, with the place of the line, and only that line is skipped.
#pragma once

#include <postern/policy/bundle.hpp>
#include <postern/policy/list_lines.hpp>
#include <postern/policy/problem.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::policy {

constexpr std::size_t max_include_depth = 8;  // files in files

// The name that the line `$include NAME` has, empty where it has none; nullopt: it is another line.
std::optional<std::string_view> included_name(std::string_view line);

// Where the file at `from` finds what it calls `name`.
std::string included_path(std::string_view from, std::string_view name);

// The paths that the lines of `list` include, as they come.
std::vector<std::string> included_paths(const File& list);

// Without "." and "..": one name for one file, to compare by; links are not looked at.
std::string plain_path(std::string_view path);

// Under this name a bundle says, as an error, why `from` may not include `to`.
std::string refusal_name(std::string_view from, std::string_view to);

// Some files of lists, by their paths. A folder that was looked into has a slash at its end, and
// its content is the names of its files.
class ListTexts {
 public:
  ListTexts() = default;
  // `files` stay where they are; the first has the number `first` in places.
  explicit ListTexts(std::span<const File> files, std::uint32_t first = 0);

  const File* find(std::string_view path) const;  // nullptr: it was not read
  // The files directly in `folder`, by name, but for hidden ones.
  std::vector<const File*> in(std::string_view folder) const;
  std::uint32_t number(const File& file) const {
    return first_ + static_cast<std::uint32_t>(&file - files_.data());
  }

 private:
  std::span<const File> files_;
  std::uint32_t first_ = 0;
  std::map<std::string, const File*> by_path_;  // plain ones
};

struct IncludedFile {
  std::string path;
  bool was_read;
};

// What a list was made of, beside its own file.
struct ListOrigin {
  std::vector<IncludedFile> included;
  std::size_t entries = 0;  // good lines
};

using UseLine = std::function<void(std::string_view entry, Place place)>;
using Complain = std::function<void(Place place, std::string text)>;

// Uses each line of `list` and of what it includes, which is returned.
std::vector<IncludedFile> each_line_with_included(const ListTexts& texts, const File& list,
                                                  Comments comments, const UseLine& use,
                                                  const Complain& complain);

}  // namespace postern::policy
