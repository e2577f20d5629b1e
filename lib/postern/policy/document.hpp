// A configuration file as values with their places, whatever syntax it was written in.
#pragma once

#include <postern/policy/problem.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::policy {

struct Entry;

struct Value {
  enum class Type : std::uint8_t { text, integer, number, boolean, date, list, table };

  Type type = Type::table;
  Place place;
  std::string text;
  std::int64_t integer = 0;
  double fraction = 0;  // of a number
  bool boolean = false;
  std::vector<Value> items;    // of a list
  std::vector<Entry> entries;  // of a table, each name once

  const Entry* find(std::string_view name) const;
  Entry* find(std::string_view name);
};

struct Entry {
  std::string name;
  Place place;  // of the name
  Value value;
};

// "a string", "an integer", … for sentences.
std::string_view noun(Value::Type type);

// Reads TOML 1.0. Nothing when the syntax is wrong: then `problems` has where and what. `file`
// becomes the file of every place.
std::optional<Value> parse_toml(std::string_view content, std::uint32_t file, Problems& problems);

// Adds the tables and blocks of another file: tables are joined, [[blocks]] follow those that are
// there; a key that both set is a problem, at its second place.
void merge(Value& into, Value&& from, Problems& problems, const std::string& path = {});

}  // namespace postern::policy
