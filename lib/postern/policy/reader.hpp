// Reads a document into settings by their description.
#pragma once

#include <postern/policy/reading.hpp>
#include <postern/policy/schema.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace postern::policy {

// Sets the members of `object` (the struct that `root` describes) that `document` names; everything
// else keeps its default. Every mistake becomes a problem; a wrong value leaves its member alone.
class Reader {
 public:
  Reader(const Description& root, Reading& reading) : root_(root), reading_(reading) {}

  void read(const Value& document, void* object) { read_table(document, root_, object); }

  // Reads only these keys of the root and has no opinion about others.
  void read_only(const std::vector<std::string_view>& names, const Value& document, void* object);

 private:
  void read_table(const Value& table, const Description& description, void* object);
  void read_key(const Key& key, const Entry& entry, void* object);
  void read_blocks(const Key& key, const Entry& entry, void* object);
  void read_variant(const Key& key, const Value& block, void* object);
  void complain_unknown(const Entry& entry, const Description& description);
  std::string hint(const std::string& name, const Description& description) const;
  std::string path_of(const std::string& name) const;

  const Description& root_;
  Reading& reading_;
  std::string table_;  // the path of the table being read; empty at the top
};

}  // namespace postern::policy
