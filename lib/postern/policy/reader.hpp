// Reads a document into settings by their description.
#pragma once

#include <postern/policy/reading.hpp>
#include <postern/policy/schema.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::policy {

// Sets the members of `object` (the struct that `root` describes) that `document` names; everything
// else keeps its default. Every mistake becomes a problem; a wrong value leaves its member alone.
class Reader {
 public:
  // `root`: all tables there are, for hints where a key of another one was written.
  Reader(const Description& root, Reading& reading) : root_(root), reading_(reading) {}

  void read(const Value& document, void* object);

  // Reads only these keys of the root and has no opinion about others.
  void read_only(const std::vector<std::string_view>& names, const Value& document, void* object);

  // A table whose keys are shared out among several structs.
  struct Part {
    const Description* description;
    void* object;
  };
  enum class Keys : unsigned char {
    all,
    per_domain,  // others are refused, and none is required
  };
  // `path`: of the table, for problems.
  void read_parts(const Value& table, std::span<const Part> parts, Keys keys, std::string path);

 private:
  void read_table(const Value& table, std::span<const Part> parts, Keys keys);
  void read_table(const Value& table, const Description& description, void* object);
  void read_key(const Key& key, const Entry& entry, void* object);
  void read_blocks(const Key& key, const Entry& entry, void* object);
  void read_list(const Key& key, const Entry& entry, void* object);
  void read_alone(const Description& description, const Value& item, void* object);
  void require(const Value& table, const Description& description);
  void complain_unknown(const Entry& entry, std::span<const Part> parts);
  std::string hint(const std::string& name, std::span<const Part> parts) const;
  std::string path_of(const std::string& name) const;

  const Description& root_;
  Reading& reading_;
  std::string table_;  // the path of the table being read; empty at the top
};

// Whether `value` is [[blocks]]; complains at reading.path where it is not.
bool expect_blocks(Reading& reading, const Value& value);

// "did you mean \"x\"?", or what there is.
std::string choice_hint(const std::string& name, const std::vector<std::string>& known);

}  // namespace postern::policy
