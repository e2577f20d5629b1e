// What a loaded plugin tells about itself, and where plugins are found by name.
#pragma once

#include <postern/policy/schema.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::policy {

struct PluginType {
  std::string name;
  std::string summary;  // one sentence
  std::string version;
  Description description;  // of its own keys
  Common defaults;          // what schema.defaults() was set to
  // Where its decisions and judgements arise, at first and at last; `now` is connect.
  Stage earliest = Stage::now;
  Stage latest = Stage::message;

  // What no single key can tell: "takes nothing without a domain". Empty: nothing is wrong.
  std::string (*fault)(const void* settings) = nullptr;

  // Its Settings, with their defaults; a copy of them; the end of them.
  void* (*make)() = nullptr;
  void* (*copy)(const void* settings) = nullptr;
  void (*destroy)(void* settings) = nullptr;
};

// The same, of a schema that has been described.
PluginType plugin_type(std::string name, std::string summary, std::string version,
                       SchemaBase& schema, void* (*make)(), void* (*copy)(const void*),
                       void (*destroy)(void*));

// The type of a plugin with these settings.
template <typename Settings>
PluginType plugin_type(std::string name, std::string summary, std::string version,
                       void (*describe)(Schema<Settings>&)) {
  Schema<Settings> schema;
  describe(schema);
  return plugin_type(
      std::move(name), std::move(summary), std::move(version), schema,
      []() -> void* { return new Settings(); },
      [](const void* from) -> void* { return new Settings(*static_cast<const Settings*>(from)); },
      [](void* settings) { delete static_cast<Settings*>(settings); });
}

// A plugin's key that every instance has already ("mode", "use"), or that names no key: a bug, and
// std::logic_error. The loader and load() ask this of every type.
void require_sound(const PluginType& type);

class Catalog {
 public:
  virtual ~Catalog() = default;
  // Loads it if need be; nullptr: no such plugin, or it could not be loaded. What it returns lives
  // as long as the catalog.
  virtual const PluginType* find(std::string_view name) = 0;
  // Why it could not be loaded; empty: there is none.
  virtual std::string problem(std::string_view name) = 0;
  virtual std::vector<std::string> names() = 0;

 protected:
  Catalog() = default;
  Catalog(const Catalog&) = default;
  Catalog& operator=(const Catalog&) = default;
};

}  // namespace postern::policy
