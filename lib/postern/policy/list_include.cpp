#include <postern/policy/list_include.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <unordered_set>

namespace postern::policy {
namespace {

constexpr std::string_view keyword = "$include";

class Walk {
 public:
  Walk(const ListTexts& texts, Comments comments, const UseLine& use, const Complain& complain)
      : texts_(texts), comments_(comments), use_(use), complain_(complain) {}

  void file(const File& file) {
    open_.push_back(&file);
    seen_.insert(&file);
    const std::uint32_t number = texts_.number(file);
    each_line(file.content, comments_,
              [&](std::string_view entry, std::uint32_t line, std::uint32_t column) {
                const auto name = included_name(entry);
                if (!name) return use_(entry, {number, line, column});
                include(file, *name, {number, line, column});
              });
    open_.pop_back();
  }

  std::vector<IncludedFile> take() { return std::move(included_); }

 private:
  void include(const File& from, std::string_view name, Place place) {
    if (name.empty()) return skip(place, name, "names no file");
    const std::string path = included_path(from.path, name);
    if (const File* folder = texts_.find(path + '/')) return of_folder(*folder, from, place);
    included_.push_back({path, of_file(path, from, name, place)});
  }

  // False: it could not be read.
  bool of_file(const std::string& path, const File& from, std::string_view name, Place place) {
    const File* refused = texts_.find(refusal_name(from.path, path));
    const File* to = refused != nullptr ? refused : texts_.find(path);
    if (to == nullptr || !to->error.empty()) {
      skip(place, name, path + ": " + (to == nullptr ? "was not read" : to->error));
      return false;
    }
    if (std::find(open_.begin(), open_.end(), to) != open_.end())
      skip(place, name, circle(*to));
    else if (open_.size() > max_include_depth)
      skip(place, name, fmt::format("more than {} files within each other", max_include_depth));
    else if (!seen_.contains(to))
      file(*to);
    return true;
  }

  void of_folder(const File& folder, const File& from, Place place) {
    included_.push_back({folder.path, folder.error.empty()});
    if (!folder.error.empty()) return skip(place, folder.path, folder.error);
    each_line(folder.content, Comments::whole_lines,
              [&](std::string_view name, std::uint32_t, std::uint32_t) {
                const std::string path = folder.path + std::string(name);
                included_.push_back({path, of_file(path, from, path, place)});
              });
  }

  std::string circle(const File& again) const {
    std::string out = "goes in a circle: ";
    auto file = std::find(open_.begin(), open_.end(), &again);
    for (; file != open_.end(); ++file) out += printable((*file)->path) + " includes ";
    return out + printable(again.path);
  }

  void skip(Place place, std::string_view name, const std::string& why) {
    complain_(place,
              fmt::format("'{} {}': {}; the line is skipped", keyword, printable(name, 200), why));
  }

  const ListTexts& texts_;
  Comments comments_;
  const UseLine& use_;
  const Complain& complain_;
  std::vector<const File*> open_;  // each included by the one before
  std::unordered_set<const File*> seen_;
  std::vector<IncludedFile> included_;
};

}  // namespace

std::optional<std::string_view> included_name(std::string_view line) {
  if (!line.starts_with(keyword)) return {};
  line.remove_prefix(keyword.size());
  if (!line.empty() && line.front() != ' ' && line.front() != '\t') return {};
  return trim(without_comment(line, Comments::after_blanks));
}

std::string included_path(std::string_view from, std::string_view name) {
  while (name.size() > 1 && name.ends_with('/')) name.remove_suffix(1);
  if (name.starts_with('/')) return std::string(name);
  return std::string(from.substr(0, from.rfind('/') + 1)) + std::string(name);
}

std::vector<std::string> included_paths(const File& list) {
  std::vector<std::string> paths;
  if (list.content.find(keyword) == std::string::npos) return paths;
  each_line(list.content, Comments::whole_lines,
            [&](std::string_view line, std::uint32_t, std::uint32_t) {
              const auto name = included_name(line);
              if (name && !name->empty() && name->find('\0') == std::string_view::npos)
                paths.push_back(included_path(list.path, *name));
            });
  return paths;
}

std::string plain_path(std::string_view path) {
  return std::filesystem::path(path).lexically_normal().string();
}

std::string refusal_name(std::string_view from, std::string_view to) {
  return plain_path(from) + '\n' + plain_path(to);
}

ListTexts::ListTexts(std::span<const File> files, std::uint32_t first)
    : files_(files), first_(first) {
  for (const File& file : files)
    if (file.kind == File::Kind::list) by_path_.emplace(plain_path(file.path), &file);
}

const File* ListTexts::find(std::string_view path) const {
  const auto found = by_path_.find(plain_path(path));
  return found == by_path_.end() ? nullptr : found->second;
}

std::vector<const File*> ListTexts::in(std::string_view folder) const {
  std::vector<const File*> files;
  const std::string below = plain_path(folder) + '/';
  for (auto at = by_path_.upper_bound(below); at != by_path_.end() && at->first.starts_with(below);
       ++at)
    if (at->first[below.size()] != '.' && at->first.find('/', below.size()) == std::string::npos)
      files.push_back(at->second);
  return files;
}

std::vector<IncludedFile> each_line_with_included(const ListTexts& texts, const File& list,
                                                  Comments comments, const UseLine& use,
                                                  const Complain& complain) {
  Walk walk(texts, comments, use, complain);
  walk.file(list);
  return walk.take();
}

}  // namespace postern::policy
