// What is wrong with a configuration: one line each, with its place and the remedy.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace postern::policy {

// Where something stands. Lines and columns count from 1; line 0 means the file as a whole.
struct Place {
  std::uint32_t file = 0;  // index into Bundle::files
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  auto operator<=>(const Place&) const = default;
};

struct Problem {
  Place place;
  std::string file;   // its path, as the administrator named it
  std::string key;    // "limits.message_size"; empty for syntax errors
  std::string text;   // what is wrong; what to do about it
  bool fatal = true;  // false: said, and lived with (a bad line of a list is skipped)

  std::string line() const;  // "postern.toml:7:1: forward.identiy: no such key; did you mean …"
};

// Collects problems; after `most_kept` of either kind it only counts.
class Problems {
 public:
  static constexpr std::size_t most_kept = 20;

  explicit Problems(std::vector<std::string> file_names) : names_(std::move(file_names)) {}

  void add(Place place, std::string key, std::string text);   // the configuration is not usable
  void note(Place place, std::string key, std::string text);  // it is, all the same
  bool any_fatal() const { return fatal_ > 0; }
  std::size_t fatal_count() const { return fatal_; }
  const std::vector<std::string>& file_names() const { return names_; }
  const std::string& file_name(Place place) const { return names_.at(place.file); }

  // In the order of their places; where some were not kept, a last one tells how many.
  std::vector<Problem> take();

 private:
  std::vector<std::string> names_;
  std::vector<Problem> kept_;
  std::size_t fatal_ = 0;
  std::size_t notes_ = 0;
};

}  // namespace postern::policy
