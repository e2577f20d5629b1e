#include <postern/base/text.hpp>
#include <postern/policy/document.hpp>

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

namespace postern::policy {
namespace {

Place place_of(const toml::source_region& source, std::uint32_t file) {
  return {file, source.begin.line, source.begin.column};
}

Value convert(const toml::node& node, std::uint32_t file) {
  using Type = Value::Type;
  Value value;
  value.place = place_of(node.source(), file);
  if (const auto* table = node.as_table()) {
    for (const auto& [key, child] : *table)
      value.entries.push_back(
          {std::string(key.str()), place_of(key.source(), file), convert(child, file)});
  } else if (const auto* list = node.as_array()) {
    value.type = Type::list;
    for (const auto& child : *list) value.items.push_back(convert(child, file));
  } else if (const auto* text = node.as_string()) {
    value.type = Type::text;
    value.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.type = Type::integer;
    value.integer = integer->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.type = Type::boolean;
    value.boolean = boolean->get();
  } else if (const auto* number = node.as_floating_point()) {
    value.type = Type::number;
    value.fraction = number->get();
  } else {
    value.type = Type::date;
  }
  return value;
}

constexpr std::size_t max_key_parts = 200;

// The first line with a key of more parts than that, 0 when there is none. Each part of a.b.c is a
// table in a table, and toml++ takes any depth of them, to destroy them by recursion until the
// stack ends.
std::uint32_t line_of_deep_key(std::string_view content) {
  std::uint32_t line = 1;
  std::size_t dots = 0;
  for (const char c : content) {
    if (c == '.' && ++dots > max_key_parts) return line;
    if (c == '\n') ++line;
    if (std::string_view("=,[]{}#\"'\n").find(c) != std::string_view::npos) dots = 0;
  }
  return 0;
}

bool is_blocks(const Value& value) {
  return value.type == Value::Type::list &&
         std::all_of(value.items.begin(), value.items.end(),
                     [](const Value& item) { return item.type == Value::Type::table; });
}

}  // namespace

const Entry* Value::find(std::string_view name) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

Entry* Value::find(std::string_view name) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

std::string_view noun(Value::Type type) {
  switch (type) {
    case Value::Type::text:
      return "a string";
    case Value::Type::integer:
      return "an integer";
    case Value::Type::number:
      return "a fraction";
    case Value::Type::boolean:
      return "true or false";
    case Value::Type::date:
      return "a date or time";
    case Value::Type::list:
      return "a list";
    case Value::Type::table:
      return "a table";
  }
  return "something else";
}

std::optional<Value> parse_toml(std::string_view content, std::uint32_t file, Problems& problems) {
  if (const std::uint32_t line = line_of_deep_key(content); line > 0) {
    problems.add({file, line, 1}, "", fmt::format("more than {} dots in a row", max_key_parts));
    return {};
  }
  try {
    const toml::table table = toml::parse(content, std::string_view("configuration"));
    return convert(table, file);
  } catch (const toml::parse_error& error) {
    problems.add(place_of(error.source(), file), "", printable(error.description(), 300));
    return {};
  }
}

void merge(Value& into, Value&& from, Problems& problems, const std::string& path) {
  for (Entry& entry : from.entries) {
    const std::string key = path.empty() ? entry.name : path + '.' + entry.name;
    Entry* there = into.find(entry.name);
    if (there == nullptr) {
      into.entries.push_back(std::move(entry));
    } else if (there->value.type == Value::Type::table && entry.value.type == Value::Type::table) {
      merge(there->value, std::move(entry.value), problems, key);
    } else if (is_blocks(there->value) && is_blocks(entry.value)) {
      std::move(entry.value.items.begin(), entry.value.items.end(),
                std::back_inserter(there->value.items));
    } else {
      problems.add(entry.place, key,
                   fmt::format("is also set in {}:{}; a key stands in one file only",
                               problems.file_name(there->place), there->place.line));
    }
  }
}

}  // namespace postern::policy
