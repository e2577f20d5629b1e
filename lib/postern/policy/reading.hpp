// One value being read: where complaints go, what relative things start at, where lists are.
#pragma once

#include <postern/policy/document.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace postern::policy {

class ListStore;
struct Key;

struct Reading {
  Problems& problems;
  std::string folder;  // absolute
  bool resolve;        // ask the system for the addresses of names
  const Key* key = nullptr;
  std::string path;            // "forward.to"
  ListStore* lists = nullptr;  // nullptr: files of lists are not looked at

  Reading(Problems& where, std::string start, bool ask)
      : problems(where), folder(std::move(start)), resolve(ask) {}

  bool complain(const Value& value, std::string text) const;  // always false
  bool expect(const Value& value, Value::Type type, std::string_view what) const;
  // `shown` writes a number as the file would have it.
  bool within_bounds(const Value& value, double number, std::string (*shown)(double)) const;
};

// `path` from where relative ones start.
std::string absolute_path(std::string_view folder, std::string_view path);

}  // namespace postern::policy
